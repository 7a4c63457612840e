-- What came for the lines that the ERP still has is in the fact, to the thousandth.
select
    fact.order_id,
    fact.received_quantity,
    receipts.quantity as quantity_of_receipts
from {{ ref('fact_orders') }} as fact
full outer join (
    select
        receipts.order_id,
        sum(receipts.quantity) as quantity
    from {{ ref('vw_goods_receipts_current') }} as receipts
    inner join {{ ref('vw_orders_current') }} as orders on receipts.order_id = orders.order_id
    group by receipts.order_id
) as receipts on fact.order_id = receipts.order_id
where coalesce(fact.received_quantity, -1) <> coalesce(receipts.quantity, 0)
