-- Grain: one row per item, store and local day on which something was asked for, in the last days
-- that planning looks at (var demand_days). Days without a row are days without demand.
select
    points.item_id,
    points.store_tower_id,
    demand.demand_date,
    {{ days_between('points.series_start_date', 'demand.demand_date') }} as day_number,
    -- Whole thousandths: what is computed from them is exact.
    cast(sum(demand.requested_quantity) * 1000 as bigint) as quantity_thousandths
from {{ ref('int_stocking_points') }} as points
inner join {{ ref('fact_demand') }} as demand
    on points.item_id = demand.item_id
    and points.store_tower_id = demand.store_tower_id
where demand.demand_date between points.series_start_date and {{ as_of_date() }}
group by
    points.item_id,
    points.store_tower_id,
    points.series_start_date,
    demand.demand_date
