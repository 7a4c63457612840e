{{ current_view(
    hash_key='outage_hk',
    history=ref('int_outages_changed'),
    keys=[
        {'hub': ref('hub_outage'), 'hash_key': 'outage_hk', 'business_key': 'outage_id'},
    ],
    payload=[
        'tower_id',
        'work_order_id',
        'cause',
        'started_at',
        'ended_at',
        'created_at',
    ],
) }}
