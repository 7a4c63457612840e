{#- Of two different deliveries of an event the one extracted first replaces the other. -#}
{{ config(incremental_strategy='delete+insert', unique_key='forecast_run_hk') }}

{{ non_historised_link(
    hash_key='forecast_run_hk',
    foreign_keys=['dataset_hk'],
    payload=[
        'model_version',
        'cutoff_date',
        'generated_at',
        'source_name',
        'horizon_days',
        'ci_level',
        'grain',
        'reported_metrics',
    ],
    source={'relation': ref('stg_ml_results__runs'), 'where': arrived('ml_results/runs')},
) }}
