select
    -- keys
    {{ hash_key({'item_id': 'text'}) }} as item_hk,
    cast(item_id as {{ dbt.type_string() }}) as item_id,

    -- attributes
    cast(item_name as {{ dbt.type_string() }}) as item_name,
    cast(family as {{ dbt.type_string() }}) as family,
    cast(unit as {{ dbt.type_string() }}) as unit,
    cast(criticality as {{ dbt.type_string() }}) as criticality,
    cast(is_service as boolean) as is_service,
    cast(description as {{ dbt.type_string() }}) as description,

    -- measures
    cast(unit_cost_brl as numeric(12, 2)) as unit_cost_brl,

    -- timestamps
    created_at,
    updated_at,

    -- technical
    {{ hash_of({
        'item_name': 'text',
        'family': 'text',
        'unit': 'text',
        'criticality': 'text',
        'is_service': 'boolean',
        'description': 'text',
        'unit_cost_brl': 'numeric(12,2)',
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
from {{ source('erp', 'items') }}
