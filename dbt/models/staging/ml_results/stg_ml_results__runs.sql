select
    -- keys
    {{ hash_key({
        'dataset_id': 'text',
        'model_version': 'text',
        'cutoff_date': 'date',
    }) }} as forecast_run_hk,
    {{ hash_key({'dataset_id': 'text'}) }} as dataset_hk,
    cast(dataset_id as {{ dbt.type_string() }}) as dataset_id,
    cast(model_version as {{ dbt.type_string() }}) as model_version,
    cutoff_date,

    -- attributes
    cast(source as {{ dbt.type_string() }}) as source_name,
    cast(grain as {{ dbt.type_string() }}) as grain,
    cast(metrics as {{ dbt.type_string() }}) as reported_metrics,

    -- measures
    cast(horizon as integer) as horizon_days,
    cast(ci_level as numeric(7, 6)) as ci_level,

    -- timestamps
    generated_at,

    -- technical
    {{ hash_of({
        'source': 'text',
        'grain': 'text',
        'metrics': 'text',
        'horizon': 'integer',
        'ci_level': 'numeric(7,6)',
        'generated_at': 'timestamp',
    }) }} as hashdiff,
    _airbyte_extracted_at as extracted_at,
    _loaded_at as load_ts,
    'ml_results' as record_source,
    cast(_batch_id as bigint) as _batch_id
from {{ source('ml_results', 'runs') }}
