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
        {'relation': ref('stg_erp__tower_contracts'), 'where': arrived('erp/tower_contracts')},
        {'relation': ref('stg_erp__inventory'), 'where': arrived('erp/inventory')},
        {'relation': ref('stg_erp__stock_movements'), 'where': arrived('erp/stock_movements')},
        {'relation': ref('stg_erp__orders'), 'where': arrived('erp/orders')},
        {'relation': ref('stg_erp__work_orders'), 'where': arrived('erp/work_orders')},
        {
            'relation': ref('stg_erp__material_requests'),
            'hash_key': 'store_tower_hk',
            'business_key': 'store_tower_id',
            'where': arrived('erp/material_requests'),
        },
        {'relation': ref('stg_erp__outages'), 'where': arrived('erp/outages')},
        {'relation': ref('stg_ml_results__forecasts'), 'where': arrived('ml_results/forecasts')},
        {'relation': ref('stg_ml_results__quantiles'), 'where': arrived('ml_results/quantiles')},
    ],
) }}
