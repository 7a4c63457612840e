{{ satellite(
    hash_key='outage_hk',
    payload=[
        'tower_id',
        'work_order_id',
        'cause',
        'started_at',
        'ended_at',
        'created_at',
        'updated_at',
    ],
    source={'relation': ref('stg_erp__outages'), 'where': arrived('erp/outages')},
) }}
