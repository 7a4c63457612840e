-- Grain: one row per item, store and day that planning looks at, with or without demand.
{#- A view: a year of days for each pair is mostly zeros, which only some readers ask for. -#}
{{ config(materialized='view') }}
with calendar as (
{{ date_spine(add_days(as_of_date(), 1 - (var('demand_days') | int)), as_of_date()) }}
)

select
    points.item_id,
    points.store_tower_id,
    calendar.calendar_date as demand_date,
    cast(coalesce(daily.quantity_thousandths, 0) * 0.001 as numeric(18, 3)) as requested_quantity
from {{ ref('int_stocking_points') }} as points
inner join calendar on points.series_start_date <= calendar.calendar_date
left join {{ ref('int_demand_daily') }} as daily
    on points.item_id = daily.item_id
    and points.store_tower_id = daily.store_tower_id
    and calendar.calendar_date = daily.demand_date
