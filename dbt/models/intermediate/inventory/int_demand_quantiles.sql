-- Grain: one row per item and store with demand enough of its own, and one per item for all its
-- stores together (store_tower_id null) where some store has too little.
{#- What is asked for in the days that an order has to last for, at the item's service level: over
every first day on which such an interval may begin, and every tenth of the lead times. Between two
days on which an interval's demand changes it is constant, so only those days are rows: two a demand
and a length, not one a day. #}
with reviews as (
    select {{ days_between('calendar_date', 'next_business_date') }} as review_days
    from {{ ref('dim_time') }}
    where calendar_date = {{ as_of_date() }}
),

lengths as (
    select
        item_id,
        protection_days,
        cast(count(*) as bigint) as weight
    from (
        {%- for tenth in range(1, 11) %}
        select
            lead_times.item_id,
            lead_times.tenth_{{ tenth }}_days + coalesce(reviews.review_days, 1) as protection_days
        from {{ ref('int_item_lead_times') }} as lead_times
        left join reviews on true
        where lead_times.tenth_{{ tenth }}_days is not null
        {%- if not loop.last %}
        union all
        {%- endif %}
        {%- endfor %}
    ) as tenths
    group by item_id, protection_days
),

-- The same first days for every length, so that each counts alike and ranks are whole numbers.
items as (
    select
        points.item_id,
        min(points.first_days) as first_days,
        count(*) as points
    from (
        select
            classes.item_id,
            classes.series_days - longest.protection_days + 1 as first_days
        from {{ ref('int_demand_classes') }} as classes
        inner join (
            select
                item_id,
                max(protection_days) as protection_days
            from lengths
            group by item_id
        ) as longest
            on classes.item_id = longest.item_id
        where classes.series_days >= 2 * longest.protection_days
    ) as points
    group by points.item_id
),

edges as (
    select
        daily.item_id,
        daily.store_tower_id,
        lengths.protection_days,
        lengths.weight,
        greatest(daily.day_number - lengths.protection_days + 1, 0) as first_day,
        least(daily.day_number + 1, items.first_days) as after_last_day,
        daily.quantity_thousandths as quantity
    from {{ ref('int_demand_daily') }} as daily
    inner join items on daily.item_id = items.item_id
    inner join lengths on daily.item_id = lengths.item_id
),

steps as (
    select
        item_id,
        store_tower_id,
        protection_days,
        weight,
        day_number,
        sum(quantity) as quantity
    from (
        select
            item_id,
            store_tower_id,
            protection_days,
            weight,
            first_day as day_number,
            quantity
        from edges
        where first_day < after_last_day
        union all
        select
            item_id,
            store_tower_id,
            protection_days,
            weight,
            after_last_day as day_number,
            -quantity as quantity
        from edges
        where first_day < after_last_day
    ) as changes
    group by item_id, store_tower_id, protection_days, weight, day_number
),

runs as (
    select
        item_id,
        store_tower_id,
        sum(quantity) over (
            partition by item_id, store_tower_id, protection_days
            order by day_number
            rows between unbounded preceding and current row
        ) as quantity,
        weight * (
            lead(day_number) over (
                partition by item_id, store_tower_id, protection_days order by day_number
            ) - day_number
        ) as windows
    from steps
),

policies as (
    select
        classes.item_id,
        classes.store_tower_id,
        classes.demand_days,
        items.first_days * 10 as windows,
        items.points,
        coalesce(service_levels.service_level, least_level.service_level) as service_level
    from {{ ref('int_demand_classes') }} as classes
    inner join items on classes.item_id = items.item_id
    inner join {{ ref('vw_items_current') }} as current_items
        on classes.item_id = current_items.item_id
    left join {{ ref('service_levels') }} as service_levels
        on current_items.criticality = service_levels.criticality
    inner join {{ ref('service_levels') }} as least_level on least_level.criticality = 'C'
),

-- A sample is of one store, or of all the item's stores together: then the store is ''.
samples as (
    select
        item_id,
        store_tower_id,
        windows,
        service_level
    from policies
    where demand_days >= {{ var('least_demand_days') }}
    union all
    select
        item_id,
        '' as store_tower_id,
        min(windows) * min(points) as windows,
        min(service_level) as service_level
    from policies
    group by item_id
    having min(demand_days) < {{ var('least_demand_days') }}
),

allowed as (
    select
        item_id,
        store_tower_id,
        windows,
        -- So many windows may ask for more than the quantile, the value at rank ceil(n * p).
        windows - {{ integer_division(
            'windows * service_level * 1000000 + 999999', 1000000
        ) }} as may_exceed
    from samples
),

quantities as (
    select
        item_id,
        store_tower_id,
        quantity,
        sum(windows) as windows
    from (
        select
            item_id,
            store_tower_id,
            quantity,
            windows
        from runs
        where quantity > 0
        union all
        select
            item_id,
            '' as store_tower_id,
            quantity,
            windows
        from runs
        where quantity > 0
    ) as sampled
    group by item_id, store_tower_id, quantity
),

exceeded as (
    select
        *,
        sum(windows) over (
            partition by item_id, store_tower_id
            order by quantity desc
            rows between unbounded preceding and current row
        ) as windows_from
    from quantities
),

final as (
    select
        allowed.item_id,
        nullif(allowed.store_tower_id, '') as store_tower_id,
        allowed.windows as window_count,
        cast(
            case
                when coalesce(max(exceeded.windows_from), 0) <= allowed.may_exceed then 0
                else min(
                    case
                        when exceeded.windows_from - exceeded.windows <= allowed.may_exceed
                            then exceeded.quantity
                    end
                )
            end as bigint
        ) as quantile_thousandths
    from allowed
    left join exceeded
        on allowed.item_id = exceeded.item_id
        and allowed.store_tower_id = exceeded.store_tower_id
    group by
        allowed.item_id,
        allowed.store_tower_id,
        allowed.windows,
        allowed.may_exceed
)

select * from final
