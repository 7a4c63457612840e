{{ hub(
    hash_key='outage_hk',
    business_key='outage_id',
    sources=[
        {'relation': ref('stg_erp__outages'), 'where': arrived('erp/outages')},
    ],
) }}
