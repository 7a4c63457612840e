{{ link(
    hash_key='item_tower_hk',
    foreign_keys=['item_hk', 'tower_hk'],
    sources=[
        {'relation': ref('stg_erp__inventory'), 'where': arrived('erp/inventory')},
        {'relation': ref('stg_erp__stock_movements'), 'where': arrived('erp/stock_movements')},
        {
            'relation': ref('stg_erp__material_requests'),
            'columns': {'tower_hk': 'store_tower_hk'},
            'where': arrived('erp/material_requests'),
        },
        {'relation': ref('stg_erp__orders'), 'where': arrived('erp/orders')},
    ],
) }}
