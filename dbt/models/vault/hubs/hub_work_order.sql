{{ hub(
    hash_key='work_order_hk',
    business_key='work_order_id',
    sources=[
        {'relation': ref('stg_erp__work_orders'), 'where': arrived('erp/work_orders')},
        {'relation': ref('stg_erp__material_requests'), 'where': arrived('erp/material_requests')},
        {'relation': ref('stg_erp__outages'), 'where': arrived('erp/outages')},
    ],
) }}
