{{ satellite(
    hash_key='supplier_hk',
    payload=[
        'supplier_name',
        'tax_id',
        'country',
        'state',
        'is_active',
        'created_at',
        'updated_at',
    ],
    source={'relation': ref('stg_erp__suppliers'), 'where': arrived('erp/suppliers')},
) }}
