-- Grain: one row per dataset, model version, level, item and horizon.
with metrics as (
    select
        *,
        case when tower_id is null then 'item' else 'item_store' end as series_level
    from {{ ref('fact_forecast_metrics') }}
),

items as (
{{ dimension_as_of(ref('dim_items'), 'item_id', ['item_key']) }}
),

summed as (
    select
        dataset_id,
        model_version,
        series_level,
        item_id,
        horizon_days,
        count(*) as forecast_count,
        count(absolute_percentage_error) as mape_count,
        count(scaled_error) as mase_count,
        count(is_within_interval) as interval_count,
        sum(forecasted_demand) as forecasted_demand,
        sum(actual_demand) as actual_demand,
        sum(error) as total_error,
        sum(absolute_error) as total_absolute_error,
        sum(absolute_percentage_error) as total_percentage_error,
        sum(scaled_error) as total_scaled_error,
        sum(zero_scaled_error) as total_zero_scaled_error,
        count(case when is_within_interval then 1 end) as covered_count
    from metrics
    group by dataset_id, model_version, series_level, item_id, horizon_days
),

final as (
    select
        {{ hash_of({
            'summed.dataset_id': 'text',
            'summed.model_version': 'text',
            'summed.series_level': 'text',
            'summed.item_id': 'text',
            'summed.horizon_days': 'integer',
        }) }} as forecast_accuracy_key,
        {{ member_key('summed.item_id', 'items.item_key') }} as item_key,
        summed.dataset_id,
        summed.model_version,
        summed.series_level,
        summed.item_id,
        summed.horizon_days,
        summed.forecast_count,
        cast(summed.forecasted_demand as numeric(28, 6)) as forecasted_demand,
        cast(summed.actual_demand as numeric(28, 3)) as actual_demand,
        {{ mart_number(
            double('summed.total_error') ~ ' / ' ~ double('nullif(summed.actual_demand, 0)')
        ) | indent(8) }} as bias,
        {{ mart_number(
            double('summed.total_absolute_error') ~ ' / '
            ~ double('nullif(summed.actual_demand, 0)')
        ) | indent(8) }} as wape,
        cast(
            case when summed.actual_demand > 0 then 1 end as numeric(18, 6)
        ) as zero_wape,
        {{ mart_number(
            double('summed.total_percentage_error') ~ ' / '
            ~ double('nullif(summed.mape_count, 0)')
        ) | indent(8) }} as mape,
        summed.mape_count,
        {{ mart_number(
            double('summed.total_scaled_error') ~ ' / ' ~ double('nullif(summed.mase_count, 0)')
        ) | indent(8) }} as mase,
        {{ mart_number(
            double('summed.total_zero_scaled_error') ~ ' / '
            ~ double('nullif(summed.mase_count, 0)')
        ) | indent(8) }} as zero_mase,
        summed.mase_count,
        {{ mart_number(
            double('summed.covered_count') ~ ' / ' ~ double('nullif(summed.interval_count, 0)')
        ) | indent(8) }} as interval_coverage,
        summed.interval_count
    from summed
    left join items on summed.item_id = items.item_id and items.found_until is null
)

select * from final
