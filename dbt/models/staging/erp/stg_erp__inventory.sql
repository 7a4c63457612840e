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
    cast(_cdc_seq as {{ dbt.type_string() }}) as seq,
    cast(_cdc_op as {{ dbt.type_string() }}) as op,
    cast(_cdc_unchanged as {{ dbt.type_string() }}) as unchanged_columns,
    _cdc_committed_at as committed_at,
    cast(_cdc_commit_lsn as bigint) as commit_lsn,
    _airbyte_extracted_at as extracted_at,
    _loaded_at as load_ts,
    'erp' as record_source,
    cast(_batch_id as bigint) as _batch_id
from {{ source('erp', 'inventory') }}
