-- Grain: one row per series and bucket in which something was needed, before and after the cutoff.
with series as (
    select * from {{ ref('int_forecast_series') }}
),

demand as (
    select * from {{ ref('fact_demand') }}
),

days as (
    select
        series.series_key,
        series.training_buckets,
        series.forecast_days,
        {{ days_between('series.cutoff_date', 'demand.demand_date') }} as days_after,
        demand.requested_quantity
    from series
    inner join demand
        on series.item_id = demand.item_id
        and (series.tower_id is null or series.tower_id = demand.store_tower_id)
),

buckets as (
    select
        series_key,
        training_buckets,
        -- Divided without a sign, so that the days of one bucket stay together on both sides of 0.
        cast(
            case
                when days_after > 0
                    then {{ integer_division('days_after - 1', 'forecast_days') }} + 1
                else -{{ integer_division('-days_after', 'forecast_days') }}
            end as integer
        ) as bucket_number,
        requested_quantity
    from days
),

final as (
    select
        series_key,
        bucket_number,
        cast(sum(requested_quantity) as numeric(18, 3)) as demand
    from buckets
    where bucket_number > -training_buckets
    group by series_key, bucket_number
    having sum(requested_quantity) <> 0
)

select * from final
