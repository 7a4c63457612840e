{{ config(unique_key='material_request_hk') }}

{{ change_history(
    hash_key='material_request_hk',
    satellite=ref('sat_material_request__erp'),
    boundaries=ref('stg_cdc__boundaries'),
    entity={'source': 'erp', 'entity': 'material_requests'},
    payload=[
        'work_order_id',
        'item_id',
        'store_tower_id',
        'request_status',
        'requested_quantity',
        'issued_quantity',
        'requested_at',
        'needed_at',
        'issued_at',
        'created_at',
    ],
    repairable=['item_id', 'store_tower_id', 'request_status'],
) }}
