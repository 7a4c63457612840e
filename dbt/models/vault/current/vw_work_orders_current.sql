{{ current_view(
    hash_key='work_order_hk',
    history=ref('int_work_orders_changed'),
    keys=[
        {
            'hub': ref('hub_work_order'),
            'hash_key': 'work_order_hk',
            'business_key': 'work_order_id',
        },
    ],
    payload=[
        'tower_id',
        'contract_id',
        'work_type',
        'discipline',
        'report',
        'sla_hours',
        'opened_at',
        'closed_at',
        'created_at',
    ],
) }}
