select
    -- keys
    {{ hash_key({'order_id': 'integer'}) }} as order_line_hk,
    cast(order_id as bigint) as order_id,
    {{ hash_key({'item_id': 'text', 'tower_id': 'text'}) }} as item_tower_hk,
    {{ hash_key({'item_id': 'text', 'supplier_id': 'text'}) }} as item_supplier_pair_hk,
    {{ hash_of({
        'order_id': 'integer',
        'item_id': 'text',
        'supplier_id': 'text',
        'tower_id': 'text',
        'contract_id': 'text'
    }) }} as order_line_references_hk,
    {{ hash_key({'item_id': 'text'}) }} as item_hk,
    cast(item_id as {{ dbt.type_string() }}) as item_id,
    {{ hash_key({'supplier_id': 'text'}) }} as supplier_hk,
    cast(supplier_id as {{ dbt.type_string() }}) as supplier_id,
    {{ hash_key({'tower_id': 'text'}) }} as tower_hk,
    cast(tower_id as {{ dbt.type_string() }}) as tower_id,
    {{ hash_key({'contract_id': 'text'}) }} as contract_hk,
    cast(contract_id as {{ dbt.type_string() }}) as contract_id,

    -- attributes
    cast(requisition_id as {{ dbt.type_string() }}) as requisition_id,
    cast(requested_date as date) as requested_date,
    cast(needed_date as date) as needed_date,
    cast(ordered_date as date) as ordered_date,
    cast(expected_date as date) as expected_date,
    cast(order_status as {{ dbt.type_string() }}) as order_status,

    -- measures
    cast(quantity as numeric(14, 3)) as quantity,
    cast(unit_price_brl as numeric(12, 2)) as unit_price_brl,

    -- timestamps
    created_at,
    updated_at,

    -- technical
    {{ hash_of({
        'item_id': 'text',
        'supplier_id': 'text',
        'tower_id': 'text',
        'contract_id': 'text',
        'requisition_id': 'text',
        'requested_date': 'date',
        'needed_date': 'date',
        'ordered_date': 'date',
        'expected_date': 'date',
        'order_status': 'text',
        'quantity': 'numeric(14,3)',
        'unit_price_brl': 'numeric(12,2)',
        'created_at': 'timestamp',
        '_cdc_unchanged': 'text'
    }) }} as hashdiff,
    {{ cdc_columns('erp') }}
from {{ source('erp', 'orders') }}
