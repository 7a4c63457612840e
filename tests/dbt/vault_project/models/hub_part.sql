{{ hub('part_hk', 'part_id', [
    {'relation': ref('stg_shop'), 'where': arrived('cases/shop')},
    {'relation': ref('stg_depot'), 'where': arrived('cases/depot')},
]) }}
