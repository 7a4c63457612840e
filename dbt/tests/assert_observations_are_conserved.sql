-- Every hour that was delivered is in the vault, and counts in one day of the fact.
with delivered as (
    select distinct observation_hk
    from {{ ref('stg_weather__observations') }}
    where observation_hk is not null
        and _batch_id <= {{ run_context('weather/observations').to_batch }}
),

counted as (
    select
        (select count(*) from delivered) as delivered_hours,
        (
            select count(distinct observation_hk) from {{ ref('sat_observation__weather') }}
        ) as kept_hours,
        (
            select coalesce(sum(hour_count), 0) from {{ ref('fact_weather_daily') }}
        ) as counted_hours
)

select
    delivered_hours,
    kept_hours,
    counted_hours
from counted
where delivered_hours <> kept_hours
    or delivered_hours <> counted_hours
