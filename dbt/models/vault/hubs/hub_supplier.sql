{{ hub(
    hash_key='supplier_hk',
    business_key='supplier_id',
    sources=[
        {'relation': ref('stg_erp__suppliers'), 'where': arrived('erp/suppliers')},
        {'relation': ref('stg_erp__item_suppliers'), 'where': arrived('erp/item_suppliers')},
        {'relation': ref('stg_erp__orders'), 'where': arrived('erp/orders')},
    ],
) }}
