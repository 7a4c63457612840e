{{ hub(
    hash_key='item_hk',
    business_key='item_id',
    sources=[
        {'relation': ref('stg_erp__items'), 'where': arrived('erp/items')},
        {'relation': ref('stg_erp__item_suppliers'), 'where': arrived('erp/item_suppliers')},
        {'relation': ref('stg_erp__inventory'), 'where': arrived('erp/inventory')},
        {'relation': ref('stg_erp__stock_movements'), 'where': arrived('erp/stock_movements')},
        {'relation': ref('stg_erp__orders'), 'where': arrived('erp/orders')},
        {'relation': ref('stg_erp__material_requests'), 'where': arrived('erp/material_requests')},
        {'relation': ref('stg_ml_results__forecasts'), 'where': arrived('ml_results/forecasts')},
        {'relation': ref('stg_ml_results__quantiles'), 'where': arrived('ml_results/quantiles')},
    ],
) }}
