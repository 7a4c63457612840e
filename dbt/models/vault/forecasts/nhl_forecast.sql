{#- Of two different deliveries of an event the one extracted first replaces the other. -#}
{{ config(incremental_strategy='delete+insert', unique_key='forecast_hk') }}

{{ non_historised_link(
    hash_key='forecast_hk',
    foreign_keys=['forecast_run_hk', 'item_hk', 'tower_hk'],
    payload=[
        'dataset_id',
        'model_version',
        'cutoff_date',
        'forecast_date',
        'model_type',
        'forecasted_demand',
        'ci_lower',
        'ci_upper',
    ],
    source={
        'relation': ref('stg_ml_results__forecasts'),
        'where': arrived('ml_results/forecasts'),
    },
) }}
