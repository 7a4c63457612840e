select
    -- keys
    {{ hash_key({'item_id': 'text'}) }} as item_hk,
    cast(item_id as {{ dbt.type_string() }}) as item_id,

    -- attributes
    cast(item_name as {{ dbt.type_string() }}) as item_name,
    cast(family as {{ dbt.type_string() }}) as family,
    cast({{ folded_unit('unit') }} as {{ dbt.type_string() }}) as unit,
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
    {{ cdc_columns('erp') }}
from {{ source('erp', 'items') }}
