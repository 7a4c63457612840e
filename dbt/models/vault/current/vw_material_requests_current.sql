{{ current_view(
    hash_key='material_request_hk',
    history=ref('int_material_requests_changed'),
    keys=[
        {
            'hub': ref('hub_material_request'),
            'hash_key': 'material_request_hk',
            'business_key': 'material_request_id',
        },
    ],
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
) }}
