{{ link('part_place_hk', ['part_hk', 'place_hk'], [
    {'relation': ref('stg_shop'), 'where': arrived('cases/shop')},
    {'relation': ref('stg_depot'), 'where': arrived('cases/depot')},
]) }}
