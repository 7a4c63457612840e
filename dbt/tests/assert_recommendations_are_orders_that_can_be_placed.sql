-- What is to be ordered is lacking, is a multiple of what the supplier sells, is at least his
-- minimum, reaches order_up_to, and no smaller order would do; else there is no quantity.
with recommendations as (
    select
        *,
        coalesce(nullif(order_multiple, 0), 1) as multiple
    from {{ ref('rpt_reorder_recommendations') }}
)

select
    item_id,
    store_tower_id,
    position_quantity,
    reorder_point,
    order_up_to,
    recommended_quantity
from recommendations
where is_order_recommended
    <> (position_quantity <= reorder_point and position_quantity < order_up_to)
    or (not is_order_recommended and recommended_quantity <> 0)
    or (
        is_order_recommended
        and (
            recommended_quantity <= 0
            or recommended_quantity % multiple <> 0
            or recommended_quantity < coalesce(min_order_quantity, 0)
            or position_quantity + recommended_quantity < order_up_to
            or (
                recommended_quantity - multiple >= coalesce(min_order_quantity, 0)
                and position_quantity + recommended_quantity - multiple >= order_up_to
            )
        )
    )
