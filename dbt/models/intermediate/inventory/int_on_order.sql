-- Grain: one row per item and tower for which something was bought that has not come yet.
with orders as (
    select
        order_id,
        item_id,
        tower_id,
        quantity,
        ordered_date,
        expected_date
    from {{ ref('vw_orders_current') }}
    where order_status in ('open', 'partial')
        and tower_id is not null
),

received as (
    select
        receipts.order_id,
        sum(receipts.quantity) as quantity
    from {{ ref('vw_goods_receipts_current') }} as receipts
    inner join orders on receipts.order_id = orders.order_id
    group by receipts.order_id
),

lacking as (
    select
        orders.item_id,
        orders.tower_id,
        orders.ordered_date,
        orders.expected_date,
        orders.quantity - coalesce(received.quantity, 0) as quantity
    from orders
    left join received on orders.order_id = received.order_id
),

final as (
    select
        item_id,
        tower_id,
        count(*) as open_line_count,
        cast(sum(quantity) as numeric(18, 3)) as on_order_quantity,
        cast(
            sum(case when expected_date < {{ as_of_date() }} then quantity else 0 end)
            as numeric(18, 3)
        ) as overdue_quantity,
        min(ordered_date) as first_ordered_date,
        min(case when expected_date >= {{ as_of_date() }} then expected_date end)
            as next_expected_date
    from lacking
    -- More may come than was ordered before the ERP closes the line.
    where quantity > 0
    group by item_id, tower_id
)

select * from final
