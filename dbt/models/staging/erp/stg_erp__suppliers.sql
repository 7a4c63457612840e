select
    -- keys
    {{ hash_key({'supplier_id': 'text'}) }} as supplier_hk,
    cast(supplier_id as {{ dbt.type_string() }}) as supplier_id,

    -- attributes
    cast(supplier_name as {{ dbt.type_string() }}) as supplier_name,
    cast(tax_id as {{ dbt.type_string() }}) as tax_id,
    cast(country as {{ dbt.type_string() }}) as country,
    cast(state as {{ dbt.type_string() }}) as state,
    cast(is_active as boolean) as is_active,

    -- timestamps
    created_at,
    updated_at,

    -- technical
    {{ hash_of({
        'supplier_name': 'text',
        'tax_id': 'text',
        'country': 'text',
        'state': 'text',
        'is_active': 'boolean',
        'created_at': 'timestamp',
        '_cdc_unchanged': 'text'
    }) }} as hashdiff,
    {{ cdc_columns('erp') }}
from {{ source('erp', 'suppliers') }}
