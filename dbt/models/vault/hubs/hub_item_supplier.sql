{{ hub(
    hash_key='item_supplier_hk',
    business_key='item_supplier_id',
    sources=[
        {'relation': ref('stg_erp__item_suppliers'), 'where': arrived('erp/item_suppliers')},
    ],
) }}
