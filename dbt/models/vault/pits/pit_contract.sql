{{ pit(
    hash_key='contract_hk',
    hub=ref('hub_contract'),
    histories={'sat_contract__erp': ref('int_contracts_changed')},
) }}
