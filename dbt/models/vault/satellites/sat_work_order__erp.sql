{{ satellite(
    hash_key='work_order_hk',
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
        'updated_at',
    ],
    source={'relation': ref('stg_erp__work_orders'), 'where': arrived('erp/work_orders')},
) }}
