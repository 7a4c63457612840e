{{ hub(
    hash_key='order_line_hk',
    business_key='order_id',
    sources=[
        {'relation': ref('stg_erp__orders'), 'where': arrived('erp/orders')},
        {'relation': ref('stg_erp__goods_receipts'), 'where': arrived('erp/goods_receipts')},
    ],
) }}
