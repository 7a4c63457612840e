{{ config(unique_key='supplier_hk') }}

{{ change_history(
    hash_key='supplier_hk',
    satellite=ref('sat_supplier__erp'),
    boundaries=ref('stg_cdc__boundaries'),
    entity={'source': 'erp', 'entity': 'suppliers'},
    payload=[
        'supplier_name',
        'tax_id',
        'country',
        'state',
        'is_active',
    ],
    repairable=['supplier_name', 'tax_id', 'country', 'state'],
) }}
