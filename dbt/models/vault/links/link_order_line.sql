{{ link(
    hash_key='order_line_references_hk',
    foreign_keys=['order_line_hk', 'item_hk', 'supplier_hk', 'tower_hk', 'contract_hk'],
    optional_keys=['tower_hk', 'contract_hk'],
    sources=[
        {'relation': ref('stg_erp__orders'), 'where': arrived('erp/orders')},
    ],
) }}
