select
    -- keys
    cast(source as {{ dbt.type_string() }}) as source_name,
    cast(entity as {{ dbt.type_string() }}) as entity_name,
    cast(seq as {{ dbt.type_string() }}) as seq,

    -- attributes
    cast(kind as {{ dbt.type_string() }}) as kind,

    -- measures
    cast(row_count as bigint) as row_count,

    -- timestamps
    committed_at,

    -- technical
    cast(commit_lsn as bigint) as commit_lsn,
    _loaded_at as load_ts,
    cast(_batch_id as bigint) as _batch_id
from {{ source('cdc', 'boundaries') }}
