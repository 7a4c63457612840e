-- Grain: one row per forecast: what was needed, and what the naive methods would have said.
with forecasts as (
    select
        *,
        {{ hash_of({
            'item_id': 'text',
            'tower_id': 'text',
            'cutoff_date': 'date',
            'forecast_days': 'integer',
        }) }} as series_key,
        cast(
            {{ integer_division('horizon_days - 1', 'forecast_days') }} + 1 as integer
        ) as bucket_number
    from {{ ref('fact_forecasts') }}
),

series as (
    select * from {{ ref('int_forecast_series') }}
),

demand as (
    select * from {{ ref('int_forecast_demand') }}
),

measures as (
    select * from {{ ref('int_forecast_references') }}
),

placed as (
    select
        forecasts.*,
        series.training_buckets,
        series.season_buckets,
        -- The same bucket of the last season that ended with the cutoff.
        cast(
            forecasts.bucket_number - series.season_buckets * {{ integer_division(
                'forecasts.bucket_number + series.season_buckets - 1', 'series.season_buckets'
            ) }} as integer
        ) as season_bucket,
        {{ add_days(
            'forecasts.cutoff_date', 'forecasts.bucket_number * forecasts.forecast_days'
        ) }} <= {{ as_of_date() }} as is_due
    from forecasts
    inner join series on forecasts.series_key = series.series_key
),

final as (
    select
        placed.forecast_id,
        placed.series_key,
        placed.item_key,
        placed.tower_key,
        placed.item_id,
        placed.tower_id,
        placed.dataset_id,
        placed.model_version,
        placed.cutoff_date,
        placed.forecast_date,
        placed.forecast_days,
        placed.bucket_number,
        placed.horizon_days,
        placed.forecasted_demand,
        case when placed.is_due then coalesce(actual.demand, 0) end as actual_demand,
        case
            when placed.season_buckets <= placed.training_buckets then coalesce(season.demand, 0)
        end as seasonal_naive_demand,
        measures.sba_demand,
        measures.mase_scale
    from placed
    inner join measures on placed.series_key = measures.series_key
    left join demand as actual
        on placed.series_key = actual.series_key
        and placed.bucket_number = actual.bucket_number
    left join demand as season
        on placed.series_key = season.series_key
        and placed.season_bucket = season.bucket_number
)

select * from final
