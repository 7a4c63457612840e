select
    -- keys
    {{ hash_key({'tower_id': 'text'}) }} as tower_hk,
    cast(tower_id as {{ dbt.type_string() }}) as tower_id,
    {{ hash_key({'tower_id': 'text', 'served_by_tower_id': 'text'}) }} as tower_store_hk,
    {{ hash_key({'served_by_tower_id': 'text'}) }} as served_by_tower_hk,
    cast(served_by_tower_id as {{ dbt.type_string() }}) as served_by_tower_id,

    -- attributes
    cast(tower_name as {{ dbt.type_string() }}) as tower_name,
    cast(tower_type as {{ dbt.type_string() }}) as tower_type,
    cast(state as {{ dbt.type_string() }}) as state,
    cast(municipality as {{ dbt.type_string() }}) as municipality,

    -- measures
    cast(latitude as numeric(9, 6)) as latitude,
    cast(longitude as numeric(9, 6)) as longitude,

    -- timestamps
    created_at,
    updated_at,

    -- technical
    {{ hash_of({
        'served_by_tower_id': 'text',
        'tower_name': 'text',
        'tower_type': 'text',
        'state': 'text',
        'municipality': 'text',
        'latitude': 'numeric(9,6)',
        'longitude': 'numeric(9,6)',
        'created_at': 'timestamp',
        '_cdc_unchanged': 'text'
    }) }} as hashdiff,
    {{ cdc_columns('erp') }}
from {{ source('erp', 'towers') }}
