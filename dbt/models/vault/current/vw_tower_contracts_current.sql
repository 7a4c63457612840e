{{ current_view(
    hash_key='tower_contract_hk',
    history=ref('int_tower_contracts_changed'),
    link=ref('link_tower_contract'),
    keys=[
        {'hub': ref('hub_tower'), 'hash_key': 'tower_hk', 'business_key': 'tower_id'},
        {'hub': ref('hub_contract'), 'hash_key': 'contract_hk', 'business_key': 'contract_id'},
    ],
) }}
