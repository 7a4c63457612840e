{{ current_view(
    hash_key='order_line_hk',
    history=ref('int_orders_changed'),
    keys=[
        {'hub': ref('hub_order_line'), 'hash_key': 'order_line_hk', 'business_key': 'order_id'},
    ],
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
) }}
