{{ hub(
    hash_key='tower_hk',
    business_key='tower_id',
    sources=[
        {'relation': ref('stg_erp__towers'), 'where': arrived('erp/towers')},
        {
            'relation': ref('stg_erp__towers'),
            'hash_key': 'served_by_tower_hk',
            'business_key': 'served_by_tower_id',
            'where': arrived('erp/towers'),
        },
        {'relation': ref('stg_erp__inventory'), 'where': arrived('erp/inventory')},
        {'relation': ref('stg_erp__stock_movements'), 'where': arrived('erp/stock_movements')},
    ],
) }}
