-- Every movement whose last delivered change is no deletion is in the fact, once, and nothing else.
select coalesce(history.stock_movement_hk, fact.stock_movement_key) as stock_movement_key
from (
    select stock_movement_hk
    from {{ ref('int_stock_movements_changed') }}
    where is_latest and not is_deleted
) as history
full outer join {{ ref('fact_stock_movements') }} as fact
    on history.stock_movement_hk = fact.stock_movement_key
where history.stock_movement_hk is null or fact.stock_movement_key is null
