-- Every work order whose last delivered change is no deletion is in the fact, and no other one is.
select coalesce(history.work_order_hk, fact.work_order_key) as work_order_key
from (
    select work_order_hk
    from {{ ref('int_work_orders_changed') }}
    where is_latest and not is_deleted
) as history
full outer join {{ ref('fact_work_orders') }} as fact
    on history.work_order_hk = fact.work_order_key
where history.work_order_hk is null or fact.work_order_key is null
