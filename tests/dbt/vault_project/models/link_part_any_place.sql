{{ link(
    'any_hk', ['part_hk', 'place_hk'],
    [{
        'relation': ref('stg_shop'),
        'columns': {'any_hk': 'part_any_place_hk'},
        'where': arrived('cases/shop'),
    }],
    optional_keys=['place_hk'],
) }}
