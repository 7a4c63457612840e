{{ config(unique_key='item_hk') }}

{{ change_history(
    hash_key='item_hk',
    satellite=ref('sat_item__erp'),
    boundaries=ref('stg_cdc__boundaries'),
    entity={'source': 'erp', 'entity': 'items'},
    payload=[
        'item_name',
        'family',
        'unit',
        'criticality',
        'is_service',
        'description',
        'unit_cost_brl',
    ],
    repairable=['item_name', 'family', 'unit', 'criticality', 'description'],
) }}
