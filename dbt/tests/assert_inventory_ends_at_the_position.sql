-- The last day of the daily stock is what the position says is on hand: both follow the movements,
-- one by increments and one anew. Movements dated after as_of_date are in the position only.
select
    position.item_id,
    position.tower_id,
    position.quantity_on_hand as position_quantity_on_hand,
    inventory.quantity_on_hand as inventory_quantity_on_hand
from {{ ref('rpt_stock_position') }} as position
left join {{ ref('fact_inventory') }} as inventory
    on position.item_id = inventory.item_id
    and position.tower_id = inventory.tower_id
    and position.as_of_date = inventory.inventory_date
where position.quantity_on_hand <> coalesce(inventory.quantity_on_hand, 0)
    and position.last_moved_date <= position.as_of_date
