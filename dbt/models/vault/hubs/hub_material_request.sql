{{ hub(
    hash_key='material_request_hk',
    business_key='material_request_id',
    sources=[
        {'relation': ref('stg_erp__material_requests'), 'where': arrived('erp/material_requests')},
    ],
) }}
