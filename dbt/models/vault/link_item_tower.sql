{{ link(
    hash_key='item_tower_hk',
    foreign_keys=['item_hk', 'tower_hk'],
    sources=[
        {'relation': ref('stg_erp__inventory'), 'where': arrived('erp/inventory')},
        {'relation': ref('stg_erp__stock_movements'), 'where': arrived('erp/stock_movements')},
    ],
) }}
