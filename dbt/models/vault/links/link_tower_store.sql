{{ link(
    hash_key='tower_store_hk',
    foreign_keys=['tower_hk', 'store_tower_hk'],
    sources=[
        {
            'relation': ref('stg_erp__towers'),
            'columns': {'store_tower_hk': 'served_by_tower_hk'},
            'where': arrived('erp/towers'),
        },
    ],
) }}
