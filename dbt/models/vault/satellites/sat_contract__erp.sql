{{ satellite(
    hash_key='contract_hk',
    payload=[
        'client_name',
        'service_type',
        'sla_tier',
        'availability_target',
        'monthly_value_brl',
        'penalty_pct',
        'created_at',
        'updated_at',
    ],
    source={'relation': ref('stg_erp__contracts'), 'where': arrived('erp/contracts')},
) }}
