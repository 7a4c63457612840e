-- Grain: one row per dataset, model version, level and baseline.
with intervals as (
    select
        *,
        case when tower_id is null then 'item' else 'item_store' end as series_level
    from {{ ref('int_forecast_intervals') }}
),

-- What either of the two cannot be measured on counts for neither.
paired as (
    select
        model.dataset_id,
        model.model_version,
        model.series_level,
        baseline.method as baseline,
        model.scaled_error as model_error,
        baseline.scaled_error as baseline_error,
        model.scaled_bias as model_bias,
        baseline.scaled_bias as baseline_bias,
        case when baseline.scaled_pinball is not null then model.scaled_pinball end
            as model_pinball,
        case when model.scaled_pinball is not null then baseline.scaled_pinball end
            as baseline_pinball
    from intervals as model
    inner join intervals as baseline
        on model.dataset_id = baseline.dataset_id
        and model.model_version = baseline.model_version
        and model.series_key = baseline.series_key
        and model.protection_days = baseline.protection_days
    where model.method = 'model'
        and baseline.method <> 'model'
        and model.scaled_error is not null
        and baseline.scaled_error is not null
),

summed as (
    select
        dataset_id,
        model_version,
        series_level,
        baseline,
        count(*) as pair_count,
        count(model_pinball) as pinball_pair_count,
        {%- for measure in ['error', 'bias', 'pinball'] %}
        sum(model_{{ measure }}) as model_{{ measure }},
        sum(baseline_{{ measure }}) as baseline_{{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from paired
    group by dataset_id, model_version, series_level, baseline
),

averaged as (
    select
        dataset_id,
        model_version,
        series_level,
        baseline,
        pair_count,
        pinball_pair_count{% for measure in ['error', 'bias', 'pinball'] %}
        {%- set pairs = 'nullif(pinball_pair_count, 0)' if measure == 'pinball' else 'pair_count' %}
        {%- for side in ['model', 'baseline'] %},
        {{ mart_number(double(side ~ '_' ~ measure) ~ ' / ' ~ double(pairs)) | indent(8) }}
            as {{ side }}_scaled_{{ measure }}
        {%- endfor %}
        {%- endfor %}
    from summed
),

final as (
    select
        {{ hash_of({
            'dataset_id': 'text',
            'model_version': 'text',
            'series_level': 'text',
            'baseline': 'text',
        }) }} as forecast_value_added_key,
        dataset_id,
        model_version,
        series_level,
        baseline,
        pair_count,
        model_scaled_error,
        baseline_scaled_error,
        cast(baseline_scaled_error - model_scaled_error as numeric(18, 6)) as scaled_error_added,
        model_scaled_bias,
        baseline_scaled_bias,
        pinball_pair_count,
        model_scaled_pinball,
        baseline_scaled_pinball,
        cast(
            baseline_scaled_pinball - model_scaled_pinball as numeric(18, 6)
        ) as pinball_added,
        -- Unknown without a pinball loss: a better middle alone is no reason to change a policy.
        case
            when pinball_pair_count > 0
                then baseline_scaled_pinball > model_scaled_pinball
                    and abs(model_scaled_bias) <= abs(baseline_scaled_bias)
        end as is_improvement
    from averaged
)

select * from final
