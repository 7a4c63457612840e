{{ satellite(
    hash_key='material_request_hk',
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
        'updated_at',
    ],
    source={
        'relation': ref('stg_erp__material_requests'),
        'where': arrived('erp/material_requests'),
    },
) }}
