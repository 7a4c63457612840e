select
    -- keys
    {{ hash_key({'item_supplier_id': 'integer'}) }} as item_supplier_hk,
    cast(item_supplier_id as bigint) as item_supplier_id,
    {{ hash_key({'item_id': 'text', 'supplier_id': 'text'}) }} as item_supplier_pair_hk,
    {{ hash_key({'item_id': 'text'}) }} as item_hk,
    cast(item_id as {{ dbt.type_string() }}) as item_id,
    {{ hash_key({'supplier_id': 'text'}) }} as supplier_hk,
    cast(supplier_id as {{ dbt.type_string() }}) as supplier_id,

    -- attributes
    cast(valid_from as date) as valid_from,
    cast(valid_to as date) as valid_to,

    -- measures
    cast(unit_price_brl as numeric(12, 2)) as unit_price_brl,
    cast(min_order_quantity as numeric(14, 3)) as min_order_quantity,
    cast(order_multiple as numeric(14, 3)) as order_multiple,
    cast(lead_time_days as integer) as lead_time_days,

    -- timestamps
    created_at,
    updated_at,

    -- technical
    {{ hash_of({
        'item_id': 'text',
        'supplier_id': 'text',
        'valid_from': 'date',
        'valid_to': 'date',
        'unit_price_brl': 'numeric(12,2)',
        'min_order_quantity': 'numeric(14,3)',
        'order_multiple': 'numeric(14,3)',
        'lead_time_days': 'integer',
        'created_at': 'timestamp',
        '_cdc_unchanged': 'text'
    }) }} as hashdiff,
    {{ cdc_columns('erp') }}
from {{ source('erp', 'item_suppliers') }}
