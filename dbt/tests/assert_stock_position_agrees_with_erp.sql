-- The ERP keeps its stock equal to the sum of its movements at every commit. Where the two differ
-- here, a change was lost or doubled on the way, or the ERP has broken its promise: either way the
-- numbers must not be served, so this is an error and no warning.
select
    item_id,
    tower_id,
    quantity_on_hand,
    erp_current_stock,
    stock_difference
from {{ ref('rpt_stock_position') }}
where stock_difference <> 0
