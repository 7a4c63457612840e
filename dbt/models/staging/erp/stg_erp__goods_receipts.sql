select
    -- keys
    {{ hash_key({'goods_receipt_id': 'integer'}) }} as goods_receipt_hk,
    cast(goods_receipt_id as bigint) as goods_receipt_id,
    {{ hash_key({'order_id': 'integer'}) }} as order_line_hk,
    cast(order_id as bigint) as order_id,
    {{ hash_key({'stock_movement_id': 'integer'}) }} as stock_movement_hk,
    cast(stock_movement_id as bigint) as stock_movement_id,

    -- attributes
    cast(invoice_number as {{ dbt.type_string() }}) as invoice_number,

    -- measures
    cast(quantity as numeric(14, 3)) as quantity,

    -- timestamps
    received_at,
    created_at,
    updated_at,

    -- technical
    {{ hash_of({
        'order_id': 'integer',
        'stock_movement_id': 'integer',
        'invoice_number': 'text',
        'quantity': 'numeric(14,3)',
        'received_at': 'timestamp',
        'created_at': 'timestamp',
        '_cdc_unchanged': 'text'
    }) }} as hashdiff,
    {{ cdc_columns('erp') }}
from {{ source('erp', 'goods_receipts') }}
