{#- Incremental by order line: a receipt that comes, is corrected or is taken back touches the lines
it belongs to now and belonged to before, and no other. What the ERP has no more is taken out at the
end of the same transaction. -#}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='order_line_hk',
    on_schema_change='fail',
    post_hook="
        delete from {{ this }}
        where order_line_hk in (
            select order_line_hk
            from {{ ref('int_orders_changed') }}
            where is_latest and is_deleted
        )
    ",
) }}
-- depends_on: {{ ref('int_goods_receipts_changed') }} {{ ref('sat_goods_receipt__erp') }}
with {% if is_incremental() %}touched as (
    -- All that was ever said of a touched receipt: it may have been booked on another line before.
    select delivered.order_id
    from {{ ref('sat_goods_receipt__erp') }} as delivered
    where delivered.goods_receipt_hk in (
        select changed.goods_receipt_hk
        from {{ ref('int_goods_receipts_changed') }} as changed
        where {{ recomputed('erp/goods_receipts') }}
    )
    union
    select orders.order_id
    from {{ ref('vw_orders_current') }} as orders
    where {{ recomputed('erp/orders') }}
),

{% endif -%}
orders as (
    select *
    from {{ ref('vw_orders_current') }}
    {%- if is_incremental() %}
    where order_id in (select touched.order_id from touched)
    {%- endif %}
),

receipts as (
    select
        receipts.order_id,
        receipts.quantity,
        {{ local_date('receipts.received_at') }} as received_date,
        cast(
            sum(receipts.quantity) over (
                partition by receipts.order_id
                order by receipts.received_at, receipts.goods_receipt_id
                rows between unbounded preceding and current row
            ) as numeric(18, 3)
        ) as received_so_far
    from {{ ref('vw_goods_receipts_current') }} as receipts
    inner join orders on receipts.order_id = orders.order_id
),

received as (
    select
        orders.order_id,
        count(*) as receipt_count,
        cast(sum(receipts.quantity) as numeric(18, 3)) as received_quantity,
        min(receipts.received_date) as first_received_date,
        max(receipts.received_date) as last_received_date,
        min(
            case
                when receipts.received_so_far * 100 >= orders.quantity * 95
                    then receipts.received_date
            end
        ) as completed_date
    from receipts
    inner join orders on receipts.order_id = orders.order_id
    group by orders.order_id
),

final as (
    select
        orders.order_line_hk,
        orders.order_id,
        orders.item_id,
        orders.supplier_id,
        orders.tower_id,
        orders.ordered_date,
        received.first_received_date,
        received.last_received_date,
        received.completed_date,
        received.completed_date is not null as is_completed,
        received.completed_date is null
        and orders.order_status in ('open', 'partial') as is_open,
        orders.quantity as ordered_quantity,
        cast(coalesce(received.received_quantity, 0) as numeric(18, 3)) as received_quantity,
        coalesce(received.receipt_count, 0) as receipt_count,
        cast({{ run_context('erp/goods_receipts').to_batch }} as bigint) as _batch_id,
        cast({{ run_context('_cdc/boundaries').to_batch }} as bigint) as _boundary_batch_id
    from orders
    left join received on orders.order_id = received.order_id
)

select * from final
