-- Grain: one row per item that may be reordered somewhere.
{#- ABC: the items that make the first 80 % of the value asked for are A, the next 15 % B. XYZ: the
coefficient of variation over periods of four whole weeks, at most 0.5 is X, at most 1 is Y. Both are
compared as whole numbers, so that no rounding decides. -#}
{%- set period_days = 28 %}
with items as (
    select
        points.item_id,
        min(points.series_start_date) as series_start_date,
        min(current_items.unit_cost_brl) as unit_cost_brl
    from {{ ref('int_stocking_points') }} as points
    inner join {{ ref('vw_items_current') }} as current_items
        on points.item_id = current_items.item_id
    group by points.item_id
),

valued as (
    select
        items.item_id,
        {{ days_between('items.series_start_date', as_of_date()) }} + 1 as series_days,
        cast(
            cast(coalesce(sum(daily.quantity_thousandths), 0) * 0.001 as numeric(26, 3))
            * coalesce(min(items.unit_cost_brl), 0) as numeric(28, 5)
        ) as demand_value_brl
    from items
    left join {{ ref('int_demand_daily') }} as daily on items.item_id = daily.item_id
    group by items.item_id, items.series_start_date
),

ranked as (
    select
        *,
        sum(demand_value_brl) over (
            order by demand_value_brl desc, {{ byte_order('item_id') }}
            rows between unbounded preceding and current row
        ) - demand_value_brl as value_before,
        sum(demand_value_brl) over () as total_value
    from valued
),

period_demand as (
    select
        item_id,
        period_number,
        sum(quantity) as quantity
    from (
        select
            item_id,
            {{ integer_division(
                days_between('demand_date', as_of_date()), period_days
            ) }} as period_number,
            cast(least(quantity_thousandths, 1000000000000) as numeric(18, 0)) as quantity
        from {{ ref('int_demand_daily') }}
    ) as daily
    group by item_id, period_number
),

sums as (
    select
        ranked.item_id,
        {{ integer_division('ranked.series_days', period_days) }} as periods,
        sum(period_demand.quantity) as total,
        sum(cast(period_demand.quantity as numeric(19, 0)) * period_demand.quantity) as squares
    from ranked
    inner join period_demand on ranked.item_id = period_demand.item_id
    -- The oldest period may be cut by the beginning of the series, and would look like a lull.
    where period_demand.period_number < {{ integer_division('ranked.series_days', period_days) }}
    group by ranked.item_id, ranked.series_days
),

varied as (
    select
        *,
        periods * (periods * squares - total * total) as spread
    from sums
),

final as (
    select
        ranked.item_id,
        ranked.demand_value_brl,
        case
            when ranked.demand_value_brl <= 0 then 'C'
            when ranked.value_before * 100 < ranked.total_value * 80 then 'A'
            when ranked.value_before * 100 < ranked.total_value * 95 then 'B'
            else 'C'
        end as abc_class,
        case
            when varied.periods < 2 or coalesce(varied.total, 0) <= 0 then 'Z'
            when 4 * varied.spread <= (varied.periods - 1) * varied.total * varied.total
                then 'X'
            when varied.spread <= (varied.periods - 1) * varied.total * varied.total
                then 'Y'
            else 'Z'
        end as xyz_class
    from ranked
    left join varied on ranked.item_id = varied.item_id
)

select * from final
