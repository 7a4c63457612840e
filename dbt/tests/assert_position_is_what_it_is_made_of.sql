-- The position is on hand, plus on order, less unmet; and what is waited for and on order anywhere
-- is in some position, so that nothing is bought twice and nobody waits unseen.
select
    'position' as claim,
    item_id,
    tower_id
from {{ ref('rpt_stock_position') }}
where position_quantity <> quantity_on_hand + on_order_quantity - unmet_quantity

union all

select
    'unmet' as claim,
    null as item_id,
    null as tower_id
where coalesce((select sum(unmet_quantity) from {{ ref('rpt_stock_position') }}), 0)
    <> coalesce(
        (
            select sum(requested_quantity - issued_quantity)
            from {{ ref('vw_material_requests_current') }}
            where request_status = 'waiting'
        ),
        0
    )

union all

select
    'on order' as claim,
    null as item_id,
    null as tower_id
where coalesce((select sum(on_order_quantity) from {{ ref('rpt_stock_position') }}), 0)
    <> coalesce((select sum(on_order_quantity) from {{ ref('int_on_order') }}), 0)
