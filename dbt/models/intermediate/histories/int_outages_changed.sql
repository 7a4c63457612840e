{{ config(unique_key='outage_hk') }}

{{ change_history(
    hash_key='outage_hk',
    satellite=ref('sat_outage__erp'),
    boundaries=ref('stg_cdc__boundaries'),
    entity={'source': 'erp', 'entity': 'outages'},
    payload=[
        'tower_id',
        'work_order_id',
        'cause',
        'started_at',
        'ended_at',
        'created_at',
    ],
    repairable=['tower_id', 'cause'],
) }}
