{{ config(unique_key='tower_contract_hk') }}

{{ change_history(
    hash_key='tower_contract_hk',
    satellite=ref('eff_sat_tower_contract'),
    boundaries=ref('stg_cdc__boundaries'),
    entity={'source': 'erp', 'entity': 'tower_contracts'},
    payload=[
        'is_effective',
    ],
) }}
