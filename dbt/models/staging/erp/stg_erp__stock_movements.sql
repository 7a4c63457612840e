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
    cast(_cdc_seq as {{ dbt.type_string() }}) as seq,
    cast(_cdc_op as {{ dbt.type_string() }}) as op,
    cast(_cdc_unchanged as {{ dbt.type_string() }}) as unchanged_columns,
    _cdc_committed_at as committed_at,
    cast(_cdc_commit_lsn as bigint) as commit_lsn,
    _airbyte_extracted_at as extracted_at,
    _loaded_at as load_ts,
    'erp' as record_source,
    cast(_batch_id as bigint) as _batch_id
from {{ source('erp', 'stock_movements') }}
