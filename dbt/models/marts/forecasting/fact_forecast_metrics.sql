-- Grain: one row per forecast whose day or week has passed, beside what was needed.
{#- Built whole: a corrected request of long ago moves the scale of every forecast after it. #}
with forecasts as (
    select * from {{ ref('fact_forecasts') }}
),

compared as (
    select * from {{ ref('int_forecast_values') }}
    where actual_demand is not null
),

final as (
    select
        compared.forecast_id,
        compared.item_key,
        compared.tower_key,
        compared.item_id,
        compared.tower_id,
        compared.dataset_id,
        compared.model_version,
        compared.cutoff_date,
        compared.forecast_date,
        compared.horizon_days,
        compared.forecast_days,
        compared.forecasted_demand,
        compared.actual_demand,
        cast(compared.forecasted_demand - compared.actual_demand as numeric(18, 6)) as error,
        cast(
            abs(compared.forecasted_demand - compared.actual_demand) as numeric(18, 6)
        ) as absolute_error,
        {{ mart_number(
            double('abs(compared.forecasted_demand - compared.actual_demand)') ~ ' / '
            ~ double('nullif(compared.actual_demand, 0)')
        ) | indent(8) }} as absolute_percentage_error,
        compared.mase_scale,
        {{ mart_number(
            double('abs(compared.forecasted_demand - compared.actual_demand)') ~ ' / '
            ~ double('compared.mase_scale')
        ) | indent(8) }} as scaled_error,
        {{ mart_number(
            double('compared.actual_demand') ~ ' / ' ~ double('compared.mase_scale')
        ) | indent(8) }} as zero_scaled_error,
        compared.actual_demand >= forecasts.ci_lower
        and compared.actual_demand <= forecasts.ci_upper as is_within_interval
    from compared
    inner join forecasts on compared.forecast_id = forecasts.forecast_id
)

select * from final
