select
    -- keys
    {{ hash_of({
        'dataset_id': 'text',
        'model_version': 'text',
        'cutoff_date': 'date',
        'item_id': 'text',
        'tower_id': 'text',
        'protection_days': 'integer',
        'quantile': 'numeric(7,6)',
    }) }} as forecast_quantile_hk,
    {{ hash_key({
        'dataset_id': 'text',
        'model_version': 'text',
        'cutoff_date': 'date',
    }) }} as forecast_run_hk,
    cast(dataset_id as {{ dbt.type_string() }}) as dataset_id,
    cast(model_version as {{ dbt.type_string() }}) as model_version,
    cutoff_date,
    {{ hash_key({'item_id': 'text'}) }} as item_hk,
    cast(item_id as {{ dbt.type_string() }}) as item_id,
    {{ hash_key({'tower_id': 'text'}) }} as tower_hk,
    cast(tower_id as {{ dbt.type_string() }}) as tower_id,

    -- measures
    cast(protection_days as integer) as protection_days,
    cast(quantile as numeric(7, 6)) as quantile,
    cast(value as numeric(18, 6)) as quantile_demand,

    -- technical
    {{ hash_of({'value': 'numeric(18,6)'}) }} as hashdiff,
    _airbyte_extracted_at as extracted_at,
    _loaded_at as load_ts,
    'ml_results' as record_source,
    cast(_batch_id as bigint) as _batch_id
from {{ source('ml_results', 'quantiles') }}
