-- Grain: one row per item, store, cutoff date and length of time that something was forecast for.
-- Demand is counted in buckets of the forecasts' length: bucket 0 ends with the cutoff date, bucket
-- 1 begins the day after it. Training begins with the first day of any demand that the lake knows.
with demand as (
    select * from {{ ref('fact_demand') }}
),

forecasts as (
    select * from {{ ref('fact_forecasts') }}
),

known as (
    -- One wrong year would make a training of centuries without demand.
    select min(demand_date) as first_date
    from demand
    where demand_date >= cast('{{ var("first_calendar_year") }}-01-01' as date)
),

series as (
    select distinct
        item_id,
        tower_id,
        cutoff_date,
        forecast_days
    from forecasts
),

counted as (
    select
        series.*,
        {{ integer_division(
            days_between('known.first_date', 'series.cutoff_date') ~ ' + 1', 'series.forecast_days'
        ) }} as whole_buckets
    from series
    cross join known
),

final as (
    select
        {{ hash_of({
            'item_id': 'text',
            'tower_id': 'text',
            'cutoff_date': 'date',
            'forecast_days': 'integer',
        }) }} as series_key,
        item_id,
        tower_id,
        cutoff_date,
        forecast_days,
        -- No demand before the cutoff, or none at all, is nothing to train on.
        cast(
            case when whole_buckets > 0 then whole_buckets else 0 end as integer
        ) as training_buckets,
        -- A season is a week of days, or a year of weeks once two of them are known.
        case
            when forecast_days = 1 then 7
            when whole_buckets >= 104 then 52
            else 1
        end as season_buckets
    from counted
)

select * from final
