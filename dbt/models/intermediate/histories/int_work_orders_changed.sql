{{ config(unique_key='work_order_hk') }}

{{ change_history(
    hash_key='work_order_hk',
    satellite=ref('sat_work_order__erp'),
    boundaries=ref('stg_cdc__boundaries'),
    entity={'source': 'erp', 'entity': 'work_orders'},
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
    repairable=['tower_id', 'contract_id', 'work_type', 'discipline', 'report'],
) }}
