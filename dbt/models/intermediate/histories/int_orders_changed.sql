{{ config(unique_key='order_line_hk') }}

{{ change_history(
    hash_key='order_line_hk',
    satellite=ref('sat_order_line__erp'),
    boundaries=ref('stg_cdc__boundaries'),
    entity={'source': 'erp', 'entity': 'orders'},
    payload=[
        'item_id',
        'supplier_id',
        'tower_id',
        'contract_id',
        'requisition_id',
        'requested_date',
        'needed_date',
        'ordered_date',
        'expected_date',
        'order_status',
        'quantity',
        'unit_price_brl',
        'created_at',
    ],
    repairable=[
        'item_id',
        'supplier_id',
        'tower_id',
        'contract_id',
        'requisition_id',
        'order_status',
    ],
) }}
