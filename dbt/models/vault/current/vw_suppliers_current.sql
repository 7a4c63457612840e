{{ current_view(
    hash_key='supplier_hk',
    history=ref('int_suppliers_changed'),
    keys=[
        {'hub': ref('hub_supplier'), 'hash_key': 'supplier_hk', 'business_key': 'supplier_id'},
    ],
    payload=[
        'supplier_name',
        'tax_id',
        'country',
        'state',
        'is_active',
    ],
) }}
