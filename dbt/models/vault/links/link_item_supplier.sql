{{ link(
    hash_key='item_supplier_pair_hk',
    foreign_keys=['item_hk', 'supplier_hk'],
    sources=[
        {'relation': ref('stg_erp__item_suppliers'), 'where': arrived('erp/item_suppliers')},
        {'relation': ref('stg_erp__orders'), 'where': arrived('erp/orders')},
    ],
) }}
