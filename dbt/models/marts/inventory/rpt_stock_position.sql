-- Grain: one row per item and tower where the item is kept, ever moved, on order or waited for, as
-- of the last date.
with pairs as (
    select
        link.item_tower_hk,
        hub_item.item_id,
        hub_tower.tower_id
    from {{ ref('link_item_tower') }} as link
    inner join {{ ref('hub_item') }} as hub_item on link.item_hk = hub_item.item_hk
    inner join {{ ref('hub_tower') }} as hub_tower on link.tower_hk = hub_tower.tower_hk
),

items as (
{{ dimension_as_of(ref('dim_items'), 'item_id', ['item_key', 'unit_cost_brl']) }}
),

towers as (
{{ dimension_as_of(ref('dim_towers'), 'tower_id', ['tower_key']) }}
),

inventory as (
    select *
    from {{ ref('int_inventory_changed') }}
    where is_latest and not is_deleted
),

moved as (
    select
        item_id,
        tower_id,
        cast(sum(quantity) as numeric(18, 3)) as quantity_on_hand,
        count(*) as movement_count,
        max(moved_date) as last_moved_date
    from {{ ref('fact_stock_movements') }}
    group by item_id, tower_id
),

waiting as (
    select
        item_id,
        store_tower_id,
        cast(sum(waiting_quantity) as numeric(18, 3)) as unmet_quantity
    from {{ ref('fact_demand') }}
    where waiting_quantity <> 0
    group by item_id, store_tower_id
),

positions as (
    select
        pairs.item_tower_hk,
        pairs.item_id,
        pairs.tower_id,
        cast(coalesce(moved.quantity_on_hand, 0) as numeric(18, 3)) as quantity_on_hand,
        cast(coalesce(on_order.on_order_quantity, 0) as numeric(18, 3)) as on_order_quantity,
        cast(coalesce(on_order.overdue_quantity, 0) as numeric(18, 3)) as overdue_quantity,
        cast(coalesce(waiting.unmet_quantity, 0) as numeric(18, 3)) as unmet_quantity,
        cast(
            coalesce(moved.quantity_on_hand, 0) + coalesce(on_order.on_order_quantity, 0)
            - coalesce(waiting.unmet_quantity, 0) as numeric(18, 3)
        ) as position_quantity,
        inventory.current_stock,
        inventory.min_stock,
        inventory.max_stock,
        inventory.reorder_point,
        coalesce(inventory.max_stock > 0, false) as is_kept,
        demand.demand_thousandths,
        demand.series_days,
        coalesce(moved.movement_count, 0) as movement_count,
        moved.last_moved_date
    from pairs
    left join inventory on pairs.item_tower_hk = inventory.item_tower_hk
    left join moved on pairs.item_id = moved.item_id and pairs.tower_id = moved.tower_id
    left join {{ ref('int_on_order') }} as on_order
        on pairs.item_id = on_order.item_id
        and pairs.tower_id = on_order.tower_id
    left join waiting
        on pairs.item_id = waiting.item_id
        and pairs.tower_id = waiting.store_tower_id
    left join {{ ref('int_demand_classes') }} as demand
        on pairs.item_id = demand.item_id
        and pairs.tower_id = demand.store_tower_id
    -- A pair whose movements were all deleted and that the ERP does not keep has no position.
    where inventory.item_tower_hk is not null
        or moved.movement_count is not null
        or on_order.open_line_count is not null
        or waiting.unmet_quantity is not null
),

final as (
    select
        positions.item_tower_hk as stock_position_key,
        {{ member_key('positions.item_id', 'items.item_key') }} as item_key,
        {{ member_key('positions.tower_id', 'towers.tower_key') }} as tower_key,
        positions.item_id,
        positions.tower_id,
        positions.quantity_on_hand,
        positions.current_stock as erp_current_stock,
        cast(
            positions.quantity_on_hand - coalesce(positions.current_stock, 0) as numeric(18, 3)
        ) as stock_difference,
        positions.on_order_quantity,
        positions.overdue_quantity,
        positions.unmet_quantity,
        positions.position_quantity,
        -- Widened first: the engine's own choice of precision for the product may overflow.
        cast(
            cast(positions.quantity_on_hand as numeric(26, 3)) * items.unit_cost_brl
            as numeric(28, 5)
        ) as stock_value_brl,
        positions.min_stock,
        positions.max_stock,
        positions.reorder_point,
        positions.is_kept,
        positions.is_kept and positions.quantity_on_hand <= 0 as is_stocked_out,
        coalesce(
            positions.is_kept and positions.position_quantity <= positions.reorder_point, false
        ) as is_below_reorder_point,
        {{ mart_number(
            double(integer_division(
                'greatest(positions.quantity_on_hand, 0) * 1000 * positions.series_days * 1000',
                'positions.demand_thousandths'
            )) ~ ' / ' ~ double(1000)
        ) }} as days_of_cover,
        positions.movement_count,
        positions.last_moved_date,
        {{ as_of_date() }} as as_of_date
    from positions
    left join items on positions.item_id = items.item_id and items.found_until is null
    left join towers on positions.tower_id = towers.tower_id and towers.found_until is null
)

select * from final
