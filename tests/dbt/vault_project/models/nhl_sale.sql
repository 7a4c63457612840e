{{ config(incremental_strategy='delete+insert', unique_key='part_place_hk') }}
{{ non_historised_link('part_place_hk', ['part_hk', 'place_hk'], ['part_name'], {
    'relation': ref('stg_shop'), 'where': arrived('cases/shop')
}) }}
