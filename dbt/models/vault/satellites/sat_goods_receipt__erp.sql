{{ satellite(
    hash_key='goods_receipt_hk',
    payload=[
        'order_id',
        'stock_movement_id',
        'invoice_number',
        'quantity',
        'received_at',
        'created_at',
        'updated_at',
    ],
    source={'relation': ref('stg_erp__goods_receipts'), 'where': arrived('erp/goods_receipts')},
) }}
