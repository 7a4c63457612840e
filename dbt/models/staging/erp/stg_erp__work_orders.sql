select
    -- keys
    {{ hash_key({'work_order_id': 'integer'}) }} as work_order_hk,
    cast(work_order_id as bigint) as work_order_id,
    {{ hash_key({'tower_id': 'text', 'contract_id': 'text'}) }} as tower_contract_hk,
    {{ hash_of({
        'work_order_id': 'integer',
        'tower_id': 'text',
        'contract_id': 'text'
    }) }} as work_order_references_hk,
    {{ hash_key({'tower_id': 'text'}) }} as tower_hk,
    cast(tower_id as {{ dbt.type_string() }}) as tower_id,
    {{ hash_key({'contract_id': 'text'}) }} as contract_hk,
    cast(contract_id as {{ dbt.type_string() }}) as contract_id,

    -- attributes
    cast(work_type as {{ dbt.type_string() }}) as work_type,
    cast(discipline as {{ dbt.type_string() }}) as discipline,
    cast(report as {{ dbt.type_string() }}) as report,

    -- measures
    cast(sla_hours as integer) as sla_hours,

    -- timestamps
    opened_at,
    closed_at,
    created_at,
    updated_at,

    -- technical
    {{ hash_of({
        'tower_id': 'text',
        'contract_id': 'text',
        'work_type': 'text',
        'discipline': 'text',
        'report': 'text',
        'sla_hours': 'integer',
        'opened_at': 'timestamp',
        'closed_at': 'timestamp',
        'created_at': 'timestamp',
        '_cdc_unchanged': 'text'
    }) }} as hashdiff,
    {{ cdc_columns('erp') }}
from {{ source('erp', 'work_orders') }}
