{{ effectivity_satellite(
    hash_key='tower_contract_hk',
    payload=['created_at', 'updated_at'],
    source={'relation': ref('stg_erp__tower_contracts'), 'where': arrived('erp/tower_contracts')},
) }}
