-- Grain: one row per item and store at which it may be reordered, as of the last date.
with items as (
{{ dimension_as_of(
    ref('dim_items'), 'item_id', ['item_key', 'item_name', 'family', 'unit', 'criticality']
) }}
),

stores as (
{{ dimension_as_of(ref('dim_towers'), 'tower_id', ['tower_key', 'tower_name']) }}
),

points as (
    select
        points.item_id,
        points.store_tower_id,
        classes.demand_class,
        classes.abc_class,
        classes.xyz_class,
        points.method,
        points.n_events,
        points.service_level,
        points.cover_days,
        points.lead_time_source,
        points.lead_time_count,
        points.open_order_count,
        points.median_days,
        points.p90_days,
        {{ mart_number('points.daily_demand') }} as daily_demand,
        {{ mart_number('sqrt(points.daily_variance)') }} as daily_demand_stddev,
        {{ mart_number('points.lead_time_days') }} as lead_time_days,
        {{ mart_number('sqrt(points.lead_time_variance)') }} as lead_time_stddev_days,
        {{ mart_number('points.protection_days') }} as protection_days,
        {{ mart_number('points.undershoot') }} as undershoot_quantity,
        {{ mart_number('points.reorder_point') }} as reorder_point,
        {{ mart_number(
            'points.reorder_point + ' ~ double('points.cover_days') ~ ' * points.daily_demand'
        ) }} as order_up_to
    from {{ ref('int_reorder_points') }} as points
    inner join {{ ref('int_demand_classes') }} as classes
        on points.item_id = classes.item_id
        and points.store_tower_id = classes.store_tower_id
),

positions as (
    select
        points.*,
        stock.reorder_point as erp_reorder_point,
        coalesce(stock.quantity_on_hand, 0) as quantity_on_hand,
        coalesce(stock.on_order_quantity, 0) as on_order_quantity,
        coalesce(stock.overdue_quantity, 0) as overdue_quantity,
        coalesce(stock.unmet_quantity, 0) as unmet_quantity,
        coalesce(stock.position_quantity, 0) as position_quantity,
        terms.supplier_id,
        terms.supplier_name,
        terms.unit_price_brl,
        terms.min_order_quantity,
        terms.order_multiple
    from points
    left join {{ ref('rpt_stock_position') }} as stock
        on points.item_id = stock.item_id
        and points.store_tower_id = stock.tower_id
    left join {{ ref('int_reorder_terms') }} as terms on points.item_id = terms.item_id
),

-- Whole multiples in millionths, so that the division is exact; without terms, whole units.
decided as (
    select
        *,
        position_quantity <= reorder_point
        and position_quantity < order_up_to as is_order_recommended,
        cast(coalesce(nullif(order_multiple, 0), 1) as numeric(14, 3)) as multiple,
        {{ integer_division(
            '(order_up_to - position_quantity) * 1000000'
            ~ ' + coalesce(nullif(order_multiple, 0), 1) * 1000000 - 1',
            'coalesce(nullif(order_multiple, 0), 1) * 1000000'
        ) }} as multiples_lacking,
        {{ integer_division(
            'coalesce(min_order_quantity, 0) * 1000000'
            ~ ' + coalesce(nullif(order_multiple, 0), 1) * 1000000 - 1',
            'coalesce(nullif(order_multiple, 0), 1) * 1000000'
        ) }} as multiples_at_least
    from positions
),

ordered as (
    select
        *,
        case
            when is_order_recommended
                then cast(
                    greatest(multiples_lacking, multiples_at_least) * multiple as numeric(18, 3)
                )
            else cast(0 as numeric(18, 3))
        end as recommended_quantity,
        {{ mart_number(
            double('quantity_on_hand - unmet_quantity') ~ ' / '
            ~ double('nullif(daily_demand, 0)')
        ) }} as runs_out_in_days
    from decided
),

final as (
    select
        {{ hash_of({'ordered.item_id': 'text', 'ordered.store_tower_id': 'text'}) }}
            as recommendation_key,
        {{ member_key('ordered.item_id', 'items.item_key') }} as item_key,
        {{ member_key('ordered.store_tower_id', 'stores.tower_key') }} as store_tower_key,
        ordered.item_id,
        ordered.store_tower_id,
        items.item_name,
        stores.tower_name as store_tower_name,
        items.family,
        items.unit,
        items.criticality,
        ordered.abc_class,
        ordered.xyz_class,
        ordered.demand_class,
        -- Teams that stand still come first, then how much sooner the shelf is empty than filled.
        row_number() over (
            order by
                case when ordered.is_order_recommended then 0 else 1 end,
                case when ordered.unmet_quantity > ordered.quantity_on_hand then 0 else 1 end,
                {{ byte_order("coalesce(items.criticality, 'Z')") }},
                coalesce(ordered.runs_out_in_days - ordered.lead_time_days, 1000000),
                {{ byte_order('ordered.item_id') }},
                {{ byte_order('ordered.store_tower_id') }}
        ) as urgency_rank,
        ordered.is_order_recommended,
        ordered.recommended_quantity,
        cast(
            cast(ordered.recommended_quantity as numeric(26, 3)) * ordered.unit_price_brl
            as numeric(28, 5)
        ) as order_value_brl,
        ordered.supplier_id,
        ordered.supplier_name,
        ordered.unit_price_brl,
        ordered.min_order_quantity,
        ordered.order_multiple,
        ordered.quantity_on_hand,
        ordered.on_order_quantity,
        ordered.overdue_quantity,
        ordered.unmet_quantity,
        ordered.position_quantity,
        ordered.reorder_point,
        ordered.order_up_to,
        ordered.erp_reorder_point,
        ordered.runs_out_in_days,
        ordered.daily_demand,
        ordered.daily_demand_stddev,
        ordered.undershoot_quantity,
        cast(ordered.lead_time_source as {{ dbt.type_string() }}) as lead_time_source,
        ordered.lead_time_count,
        ordered.open_order_count,
        ordered.lead_time_days,
        ordered.lead_time_stddev_days,
        cast(ordered.median_days as bigint) as lead_time_median_days,
        cast(ordered.p90_days as bigint) as lead_time_p90_days,
        ordered.protection_days,
        ordered.service_level,
        cast(ordered.cover_days as bigint) as cover_days,
        ordered.method,
        ordered.n_events,
        case
            when ordered.is_order_recommended
                then 'Order ' || {{ quantity_text('ordered.recommended_quantity') }}
                    || coalesce(' ' || items.unit, '')
                    || coalesce(' from ' || ordered.supplier_name, ' from any supplier')
                    || ' now: '
            else 'Nothing to order: '
        end
        || {{ quantity_text('ordered.quantity_on_hand') }} || ' on hand'
        || case
            when ordered.on_order_quantity > 0
                then ' and ' || {{ quantity_text('ordered.on_order_quantity') }} || ' on order'
            else ''
        end
        || case
            when ordered.overdue_quantity > 0
                then ' (' || {{ quantity_text('ordered.overdue_quantity') }} || ' of it overdue)'
            else ''
        end
        || case
            when ordered.unmet_quantity > 0
                then ', less ' || {{ quantity_text('ordered.unmet_quantity') }}
                    || ' that teams wait for,'
            else ''
        end
        || ' is '
        || case
            when ordered.is_order_recommended then 'not above'
            when ordered.position_quantity <= ordered.reorder_point then 'enough for'
            else 'above'
        end
        || ' the reorder point of ' || {{ quantity_text('ordered.reorder_point', 1) }}
        || case ordered.method
            when 'erp_min_stock'
                then ', which is the ERP''s minimum: too little is known of the demand ('
                    || cast(ordered.n_events as {{ dbt.type_string() }}) || ' days with any)'
            else
                '; about ' || {{ quantity_text('ordered.daily_demand * 30', 1) }}
                || ' are asked for in 30 days (' || cast(
                    ordered.n_events as {{ dbt.type_string() }}
                ) || ' days with demand'
                || case
                    when ordered.method = 'pooled_quantile' then ' at all stores' else ''
                end
                || ')'
        end
        || coalesce(
            ', and a delivery takes ' || cast(ordered.median_days as {{ dbt.type_string() }})
            || ' days (nine in ten at most ' || cast(ordered.p90_days as {{ dbt.type_string() }})
            || ')',
            ''
        )
        || '.' as reason,
        {{ as_of_date() }} as as_of_date
    from ordered
    left join items on ordered.item_id = items.item_id and items.found_until is null
    left join stores on ordered.store_tower_id = stores.tower_id and stores.found_until is null
)

select * from final
