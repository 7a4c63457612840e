{{ config(unique_key='goods_receipt_hk') }}

{{ change_history(
    hash_key='goods_receipt_hk',
    satellite=ref('sat_goods_receipt__erp'),
    boundaries=ref('stg_cdc__boundaries'),
    entity={'source': 'erp', 'entity': 'goods_receipts'},
    payload=[
        'order_id',
        'stock_movement_id',
        'invoice_number',
        'quantity',
        'received_at',
        'created_at',
    ],
    repairable=['invoice_number'],
) }}
