{{ current_view(
    hash_key='goods_receipt_hk',
    history=ref('int_goods_receipts_changed'),
    keys=[
        {
            'hub': ref('hub_goods_receipt'),
            'hash_key': 'goods_receipt_hk',
            'business_key': 'goods_receipt_id',
        },
    ],
    payload=[
        'order_id',
        'stock_movement_id',
        'invoice_number',
        'quantity',
        'received_at',
        'created_at',
    ],
) }}
