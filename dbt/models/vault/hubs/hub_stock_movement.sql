{{ hub(
    hash_key='stock_movement_hk',
    business_key='stock_movement_id',
    sources=[
        {'relation': ref('stg_erp__stock_movements'), 'where': arrived('erp/stock_movements')},
        {'relation': ref('stg_erp__goods_receipts'), 'where': arrived('erp/goods_receipts')},
    ],
) }}
