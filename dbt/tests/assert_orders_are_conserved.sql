-- Every order line whose last delivered change is no deletion is in the fact, and no other one is.
select coalesce(history.order_line_hk, fact.order_key) as order_key
from (
    select order_line_hk
    from {{ ref('int_orders_changed') }}
    where is_latest and not is_deleted
) as history
full outer join {{ ref('fact_orders') }} as fact on history.order_line_hk = fact.order_key
where history.order_line_hk is null or fact.order_key is null
