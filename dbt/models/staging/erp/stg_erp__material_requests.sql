select
    -- keys
    {{ hash_key({'material_request_id': 'integer'}) }} as material_request_hk,
    cast(material_request_id as bigint) as material_request_id,
    {{ hash_key({'item_id': 'text', 'store_tower_id': 'text'}) }} as item_tower_hk,
    {{ hash_key({'work_order_id': 'integer'}) }} as work_order_hk,
    cast(work_order_id as bigint) as work_order_id,
    {{ hash_key({'item_id': 'text'}) }} as item_hk,
    cast(item_id as {{ dbt.type_string() }}) as item_id,
    {{ hash_key({'store_tower_id': 'text'}) }} as store_tower_hk,
    cast(store_tower_id as {{ dbt.type_string() }}) as store_tower_id,

    -- attributes
    cast(request_status as {{ dbt.type_string() }}) as request_status,

    -- measures
    cast(requested_quantity as numeric(14, 3)) as requested_quantity,
    cast(issued_quantity as numeric(14, 3)) as issued_quantity,

    -- timestamps
    requested_at,
    needed_at,
    issued_at,
    created_at,
    updated_at,

    -- technical
    {{ hash_of({
        'work_order_id': 'integer',
        'item_id': 'text',
        'store_tower_id': 'text',
        'request_status': 'text',
        'requested_quantity': 'numeric(14,3)',
        'issued_quantity': 'numeric(14,3)',
        'requested_at': 'timestamp',
        'needed_at': 'timestamp',
        'issued_at': 'timestamp',
        'created_at': 'timestamp',
        '_cdc_unchanged': 'text'
    }) }} as hashdiff,
    {{ cdc_columns('erp') }}
from {{ source('erp', 'material_requests') }}
