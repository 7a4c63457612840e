-- Grain: one row per item and place at which it may be reordered: when to buy, and why then.
{#- The only doubles of the project that are stored: each is a quotient of exact whole numbers, then
only added, multiplied, divided and rooted, so that every engine has the same bits. The mart rounds. #}
with classes as (
    select * from {{ ref('int_demand_classes') }}
),

reviews as (
    select {{ days_between('calendar_date', 'next_business_date') }} as review_days
    from {{ ref('dim_time') }}
    where calendar_date = {{ as_of_date() }}
),

pooled as (
    select
        item_id,
        cast(sum(series_days) as bigint) as series_days,
        cast(sum(demand_days) as bigint) as demand_days,
        sum(demand_thousandths) as demand_thousandths,
        sum(demand_squares) as demand_squares,
        sum(demand_cubes) as demand_cubes
    from classes
    group by item_id
),

known as (
    select
        classes.item_id,
        classes.store_tower_id,
        classes.demand_class,
        classes.demand_days >= {{ var('least_demand_days') }} as has_own_demand,
        pooled.demand_days >= {{ var('least_demand_days') }} as has_pooled_demand,
        own_quantiles.quantile_thousandths as own_quantile,
        pooled_quantiles.quantile_thousandths as pooled_quantile,
        points.min_stock,
        lead_times.lead_time_source,
        lead_times.completed_count,
        lead_times.open_count,
        lead_times.negative_count,
        lead_times.total_days,
        lead_times.squared_days,
        lead_times.median_days,
        lead_times.p90_days,
        coalesce(reviews.review_days, 1) as review_days,
        coalesce(service_levels.service_level, least_level.service_level) as service_level,
        coalesce(service_levels.z_value, least_level.z_value) as z_value,
        coalesce(cover.cover_days, least_cover.cover_days) as cover_days,
        {%- for moment in [
            'series_days', 'demand_days', 'demand_thousandths', 'demand_squares', 'demand_cubes'
        ] %}
        case
            when classes.demand_days >= {{ var('least_demand_days') }} then classes.{{ moment }}
            else pooled.{{ moment }}
        end as {{ moment }}{{ ',' if not loop.last }}
        {%- endfor %}
    from classes
    inner join pooled on classes.item_id = pooled.item_id
    inner join {{ ref('int_stocking_points') }} as points
        on classes.item_id = points.item_id
        and classes.store_tower_id = points.store_tower_id
    inner join {{ ref('vw_items_current') }} as items on classes.item_id = items.item_id
    inner join {{ ref('int_item_lead_times') }} as lead_times
        on classes.item_id = lead_times.item_id
    left join reviews on true
    left join {{ ref('service_levels') }} as service_levels
        on items.criticality = service_levels.criticality
    inner join {{ ref('service_levels') }} as least_level on least_level.criticality = 'C'
    left join {{ ref('int_cover_days') }} as cover on classes.abc_class = cover.abc_class
    inner join {{ ref('int_cover_days') }} as least_cover on least_cover.abc_class = 'C'
    left join {{ ref('int_demand_quantiles') }} as own_quantiles
        on classes.item_id = own_quantiles.item_id
        and classes.store_tower_id = own_quantiles.store_tower_id
    left join {{ ref('int_demand_quantiles') }} as pooled_quantiles
        on classes.item_id = pooled_quantiles.item_id
        and pooled_quantiles.store_tower_id is null
),

chosen as (
    select
        *,
        case
            when has_own_demand and own_quantile is not null
                and demand_class in ('smooth', 'erratic')
                then 'textbook'
            when has_own_demand and own_quantile is not null then 'quantile'
            when not has_own_demand and has_pooled_demand and pooled_quantile is not null
                then 'pooled_quantile'
            else 'erp_min_stock'
        end as method
    from known
),

measured as (
    select
        *,
        {{ double('demand_thousandths') }} / ({{ double('series_days') }} * {{ double(1000) }})
            as daily_demand,
        coalesce(
            {{ whole_quotient(
                'series_days * demand_squares - demand_thousandths * demand_thousandths',
                'series_days * (series_days - 1)'
            ) }} / {{ double(1000000) }},
            {{ double(0) }}
        ) as daily_variance,
        coalesce(
            {{ whole_quotient('demand_squares * 1000', '2 * demand_thousandths') }}
            / {{ double(1000000) }},
            {{ double(0) }}
        ) as undershoot,
        coalesce(
            {{ whole_quotient('demand_cubes', '3 * demand_thousandths') }} / {{ double(1000000) }},
            {{ double(0) }}
        ) as undershoot_square,
        {{ double('total_days') }} / {{ double('greatest(completed_count, 1)') }} as lead_time_days,
        case
            when completed_count > 1
                then {{ double('completed_count * squared_days - total_days * total_days') }}
                    / {{ double('completed_count * (completed_count - 1)') }}
            else {{ double(0) }}
        end as lead_time_variance,
        {{ double(
            "case when method = 'pooled_quantile' then pooled_quantile else own_quantile end"
        ) }} / {{ double(1000) }} as quantile_quantity
    from chosen
),

protected as (
    select
        *,
        lead_time_days + {{ double('review_days') }} as protection_days,
        greatest({{ double(0) }}, undershoot_square - undershoot * undershoot)
            as undershoot_variance
    from measured
),

final as (
    select
        item_id,
        store_tower_id,
        method,
        demand_days as n_events,
        service_level,
        z_value,
        cover_days,
        lead_time_source,
        completed_count as lead_time_count,
        open_count as open_order_count,
        negative_count as negative_lead_time_count,
        median_days,
        p90_days,
        review_days,
        daily_demand,
        daily_variance,
        lead_time_days,
        lead_time_variance,
        protection_days,
        undershoot,
        undershoot_variance,
        quantile_quantity,
        case method
            when 'textbook'
                then protection_days * daily_demand + undershoot
                    + {{ double('z_value') }} * sqrt(
                        protection_days * daily_variance
                        + daily_demand * daily_demand * lead_time_variance
                        + undershoot_variance
                    )
            when 'erp_min_stock' then {{ double('coalesce(min_stock, 0)') }}
            else quantile_quantity + undershoot
        end as reorder_point
    from protected
)

select * from final
