-- Grain: one row per item and tower where the item is kept or ever moved, as of the last date.
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
{{ dimension_as_of(ref('dim_items'), 'item_id', ['item_key']) }}
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

final as (
    select
        pairs.item_tower_hk as stock_position_key,
        {{ member_key('pairs.item_id', 'items.item_key') }} as item_key,
        {{ member_key('pairs.tower_id', 'towers.tower_key') }} as tower_key,
        pairs.item_id,
        pairs.tower_id,
        coalesce(moved.quantity_on_hand, 0) as quantity_on_hand,
        inventory.current_stock as erp_current_stock,
        cast(
            coalesce(moved.quantity_on_hand, 0) - coalesce(inventory.current_stock, 0)
            as numeric(18, 3)
        ) as stock_difference,
        inventory.min_stock,
        inventory.max_stock,
        inventory.reorder_point,
        coalesce(
            coalesce(moved.quantity_on_hand, 0) <= inventory.reorder_point, false
        ) as is_below_reorder_point,
        coalesce(moved.movement_count, 0) as movement_count,
        moved.last_moved_date,
        {{ as_of_date() }} as as_of_date
    from pairs
    left join inventory on pairs.item_tower_hk = inventory.item_tower_hk
    left join moved on pairs.item_id = moved.item_id and pairs.tower_id = moved.tower_id
    left join items on pairs.item_id = items.item_id and items.found_until is null
    left join towers on pairs.tower_id = towers.tower_id and towers.found_until is null
    -- A pair whose movements were all deleted and that the ERP does not keep has no position.
    where inventory.item_tower_hk is not null or moved.movement_count is not null
)

select * from final
