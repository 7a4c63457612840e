select
    -- keys
    {{ hash_key({'tower_id': 'text', 'contract_id': 'text'}) }} as tower_contract_hk,
    {{ hash_key({'tower_id': 'text'}) }} as tower_hk,
    cast(tower_id as {{ dbt.type_string() }}) as tower_id,
    {{ hash_key({'contract_id': 'text'}) }} as contract_hk,
    cast(contract_id as {{ dbt.type_string() }}) as contract_id,

    -- timestamps
    created_at,
    updated_at,

    -- technical
    {{ hash_of({
        'created_at': 'timestamp',
        '_cdc_unchanged': 'text'
    }) }} as hashdiff,
    {{ cdc_columns('erp') }}
from {{ source('erp', 'tower_contracts') }}
