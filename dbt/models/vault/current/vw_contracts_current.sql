{{ current_view(
    hash_key='contract_hk',
    history=ref('int_contracts_changed'),
    keys=[
        {'hub': ref('hub_contract'), 'hash_key': 'contract_hk', 'business_key': 'contract_id'},
    ],
    payload=[
        'client_name',
        'service_type',
        'sla_tier',
        'availability_target',
        'monthly_value_brl',
        'penalty_pct',
    ],
) }}
