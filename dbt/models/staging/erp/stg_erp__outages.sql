select
    -- keys
    {{ hash_key({'outage_id': 'integer'}) }} as outage_hk,
    cast(outage_id as bigint) as outage_id,
    {{ hash_key({'tower_id': 'text'}) }} as tower_hk,
    cast(tower_id as {{ dbt.type_string() }}) as tower_id,
    {{ hash_key({'work_order_id': 'integer'}) }} as work_order_hk,
    cast(work_order_id as bigint) as work_order_id,

    -- attributes
    cast(cause as {{ dbt.type_string() }}) as cause,

    -- timestamps
    started_at,
    ended_at,
    created_at,
    updated_at,

    -- technical
    {{ hash_of({
        'tower_id': 'text',
        'work_order_id': 'integer',
        'cause': 'text',
        'started_at': 'timestamp',
        'ended_at': 'timestamp',
        'created_at': 'timestamp',
        '_cdc_unchanged': 'text'
    }) }} as hashdiff,
    {{ cdc_columns('erp') }}
from {{ source('erp', 'outages') }}
