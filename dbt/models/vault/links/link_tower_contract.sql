{{ link(
    hash_key='tower_contract_hk',
    foreign_keys=['tower_hk', 'contract_hk'],
    sources=[
        {'relation': ref('stg_erp__tower_contracts'), 'where': arrived('erp/tower_contracts')},
        {'relation': ref('stg_erp__work_orders'), 'where': arrived('erp/work_orders')},
    ],
) }}
