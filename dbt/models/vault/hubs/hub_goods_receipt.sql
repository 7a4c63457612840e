{{ hub(
    hash_key='goods_receipt_hk',
    business_key='goods_receipt_id',
    sources=[
        {'relation': ref('stg_erp__goods_receipts'), 'where': arrived('erp/goods_receipts')},
    ],
) }}
