select
    -- keys
    {{ hash_key({'item_id': 'text', 'tower_id': 'text'}) }} as item_tower_hk,
    {{ hash_key({'item_id': 'text'}) }} as item_hk,
    cast(item_id as {{ dbt.type_string() }}) as item_id,
    {{ hash_key({'tower_id': 'text'}) }} as tower_hk,
    cast(tower_id as {{ dbt.type_string() }}) as tower_id,

    -- measures
    cast(current_stock as numeric(14, 3)) as current_stock,
    cast(min_stock as numeric(14, 3)) as min_stock,
    cast(max_stock as numeric(14, 3)) as max_stock,
    cast(reorder_point as numeric(14, 3)) as reorder_point,

    -- timestamps
    created_at,
    updated_at,

    -- technical
    {{ hash_of({
        'current_stock': 'numeric(14,3)',
        'min_stock': 'numeric(14,3)',
        'max_stock': 'numeric(14,3)',
        'reorder_point': 'numeric(14,3)',
        'created_at': 'timestamp',
        '_cdc_unchanged': 'text'
    }) }} as hashdiff,
    {{ cdc_columns('erp') }}
from {{ source('erp', 'inventory') }}
