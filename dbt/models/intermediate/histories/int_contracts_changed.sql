{{ config(unique_key='contract_hk') }}

{{ change_history(
    hash_key='contract_hk',
    satellite=ref('sat_contract__erp'),
    boundaries=ref('stg_cdc__boundaries'),
    entity={'source': 'erp', 'entity': 'contracts'},
    payload=[
        'client_name',
        'service_type',
        'sla_tier',
        'availability_target',
        'monthly_value_brl',
        'penalty_pct',
    ],
    repairable=['client_name', 'service_type', 'sla_tier'],
) }}
