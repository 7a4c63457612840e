select
    -- keys
    {{ hash_key({'contract_id': 'text'}) }} as contract_hk,
    cast(contract_id as {{ dbt.type_string() }}) as contract_id,

    -- attributes
    cast(client_name as {{ dbt.type_string() }}) as client_name,
    cast(service_type as {{ dbt.type_string() }}) as service_type,
    cast(sla_tier as {{ dbt.type_string() }}) as sla_tier,

    -- measures
    cast(availability_target as numeric(5, 2)) as availability_target,
    cast(monthly_value_brl as numeric(12, 2)) as monthly_value_brl,
    cast(penalty_pct as numeric(5, 2)) as penalty_pct,

    -- timestamps
    created_at,
    updated_at,

    -- technical
    {{ hash_of({
        'client_name': 'text',
        'service_type': 'text',
        'sla_tier': 'text',
        'availability_target': 'numeric(5,2)',
        'monthly_value_brl': 'numeric(12,2)',
        'penalty_pct': 'numeric(5,2)',
        'created_at': 'timestamp',
        '_cdc_unchanged': 'text'
    }) }} as hashdiff,
    {{ cdc_columns('erp') }}
from {{ source('erp', 'contracts') }}
