{{ hub(
    hash_key='stock_movement_hk',
    business_key='stock_movement_id',
    sources=[
        {'relation': ref('stg_erp__stock_movements'), 'where': arrived('erp/stock_movements')},
    ],
) }}
