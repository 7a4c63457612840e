-- Grain: one row per supplier, per item, and one for the whole company: how long deliveries took.
{#- Of materials only. Negative lead times are left out, and counted: the goods were there before
anybody wrote the order, which says nothing about waiting. What is still open is longer than its age
and no more is known of it; it is counted too. -#}
{%- set tenths = range(1, 11) %}
with lines as (
    select
        lead_times.supplier_id,
        lead_times.item_id,
        lead_times.lead_time_days,
        lead_times.is_open
    from {{ ref('int_lead_times') }} as lead_times
    inner join {{ ref('vw_items_current') }} as items on lead_times.item_id = items.item_id
    where not items.is_service
),

by_level as (
    select
        'supplier' as level,
        supplier_id as member_id,
        lead_time_days,
        is_open
    from lines
    union all
    select
        'item' as level,
        item_id as member_id,
        lead_time_days,
        is_open
    from lines
    union all
    select
        'company' as level,
        '' as member_id,
        lead_time_days,
        is_open
    from lines
),

ranked as (
    select
        level,
        member_id,
        lead_time_days,
        row_number() over (partition by level, member_id order by lead_time_days) as place,
        count(*) over (partition by level, member_id) as places
    from by_level
    where lead_time_days >= 0
),

left_out as (
    select
        level,
        member_id,
        sum(case when is_open then 1 else 0 end) as open_count,
        sum(case when lead_time_days < 0 then 1 else 0 end) as negative_count
    from by_level
    group by level, member_id
),

-- Each tenth is represented by its middle.
quantiles as (
    select
        level,
        member_id,
        count(*) as completed_count,
        sum(lead_time_days) as total_days,
        sum(cast(lead_time_days as bigint) * lead_time_days) as squared_days,
        max(case when {{ is_quantile('place', 'places', 1, 2) }} then lead_time_days end)
            as median_days,
        max(case when {{ is_quantile('place', 'places', 9, 10) }} then lead_time_days end)
            as p90_days,
        {%- for tenth in tenths %}
        max(
            case
                when {{ is_quantile('place', 'places', 2 * tenth - 1, 20) }} then lead_time_days
            end
        ) as tenth_{{ tenth }}_days{{ ',' if not loop.last }}
        {%- endfor %}
    from ranked
    group by level, member_id
)

select
    left_out.level,
    left_out.member_id,
    cast(coalesce(quantiles.completed_count, 0) as bigint) as completed_count,
    cast(left_out.open_count as bigint) as open_count,
    cast(left_out.negative_count as bigint) as negative_count,
    cast(quantiles.total_days as bigint) as total_days,
    cast(quantiles.squared_days as bigint) as squared_days,
    {%- for tenth in tenths %}
    quantiles.tenth_{{ tenth }}_days,
    {%- endfor %}
    quantiles.median_days,
    quantiles.p90_days
from left_out
left join quantiles
    on left_out.level = quantiles.level
    and left_out.member_id = quantiles.member_id
