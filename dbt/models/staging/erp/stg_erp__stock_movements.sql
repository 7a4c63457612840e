select
    -- keys
    {{ hash_key({'stock_movement_id': 'integer'}) }} as stock_movement_hk,
    cast(stock_movement_id as bigint) as stock_movement_id,
    {{ hash_key({'item_id': 'text', 'tower_id': 'text'}) }} as item_tower_hk,
    {{ hash_key({'item_id': 'text'}) }} as item_hk,
    cast(item_id as {{ dbt.type_string() }}) as item_id,
    {{ hash_key({'tower_id': 'text'}) }} as tower_hk,
    cast(tower_id as {{ dbt.type_string() }}) as tower_id,

    -- attributes
    cast(movement_type as {{ dbt.type_string() }}) as movement_type,
    cast(note as {{ dbt.type_string() }}) as note,

    -- measures
    cast(quantity as numeric(14, 3)) as quantity,
    cast(unit_cost_brl as numeric(12, 2)) as unit_cost_brl,

    -- timestamps
    moved_at,
    created_at,
    updated_at,

    -- technical
    {{ hash_of({
        'item_id': 'text',
        'tower_id': 'text',
        'movement_type': 'text',
        'note': 'text',
        'quantity': 'numeric(14,3)',
        'unit_cost_brl': 'numeric(12,2)',
        'moved_at': 'timestamp',
        'created_at': 'timestamp',
        '_cdc_unchanged': 'text'
    }) }} as hashdiff,
    {{ cdc_columns('erp') }}
from {{ source('erp', 'stock_movements') }}
