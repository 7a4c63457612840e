{{ config(materialized='view') }}

select
    order_line_hk,
    order_id,
    item_id,
    supplier_id,
    tower_id,
    ordered_date,
    first_received_date,
    last_received_date,
    completed_date,
    {{ days_between('ordered_date', 'completed_date') }} as lead_time_days,
    is_completed,
    is_open,
    ordered_quantity,
    received_quantity,
    receipt_count
from {{ ref('int_order_deliveries') }}
where ordered_date is not null
