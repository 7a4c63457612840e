{{ hub(
    hash_key='contract_hk',
    business_key='contract_id',
    sources=[
        {'relation': ref('stg_erp__contracts'), 'where': arrived('erp/contracts')},
        {'relation': ref('stg_erp__tower_contracts'), 'where': arrived('erp/tower_contracts')},
        {'relation': ref('stg_erp__orders'), 'where': arrived('erp/orders')},
        {'relation': ref('stg_erp__work_orders'), 'where': arrived('erp/work_orders')},
    ],
) }}
