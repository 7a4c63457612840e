-- Grain: one row per order line that the ERP still has, as far as it has got (accumulating).
{#- Incremental by key. A line is computed again when it, one of its receipts or a member of a
dimension that it points at was touched, and as long as a date of it is outside the calendar, which
grows. What the ERP deleted is taken out at the end of the same transaction. -#}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='order_key',
    on_schema_change='fail',
    post_hook="
        delete from {{ this }}
        where order_key in (
            select order_line_hk
            from {{ ref('int_orders_changed') }}
            where is_latest and is_deleted
        )
    ",
) }}
{%- set members = {
    'item': 'items', 'supplier': 'suppliers', 'tower': 'towers', 'contract': 'contracts'
} %}
{%- set dates = [
    'orders.requested_date',
    'orders.needed_date',
    'orders.ordered_date',
    'orders.expected_date',
    'deliveries.first_received_date',
    'deliveries.last_received_date',
    'deliveries.completed_date',
] %}
{% for one, many in members.items() -%}
-- depends_on: {{ ref('hub_' ~ one) }} {{ ref('int_' ~ many ~ '_changed') }}
{% endfor -%}
with calendar as (
    select
        min(calendar_date) as first_date,
        max(calendar_date) as last_date
    from {{ ref('dim_time') }}
),

items as (
{{ dimension_as_of(ref('dim_items'), 'item_id', ['item_key', 'is_service']) }}
),

suppliers as (
{{ dimension_as_of(ref('dim_suppliers'), 'supplier_id', ['supplier_key']) }}
),

towers as (
{{ dimension_as_of(ref('dim_towers'), 'tower_id', ['tower_key']) }}
),

contracts as (
{{ dimension_as_of(ref('dim_contracts'), 'contract_id', ['contract_key']) }}
),

deliveries as (
    select * from {{ ref('int_order_deliveries') }}
),
{% if is_incremental() %}
touched_deliveries as (
    select order_line_hk
    from deliveries
    where {{ recomputed('erp/goods_receipts') }}
),
{% for one, many in members.items() %}
touched_{{ many }} as (
{{ touched_members(
    ref('hub_' ~ one), ref('int_' ~ many ~ '_changed'), one ~ '_hk', one ~ '_id', 'erp/' ~ many
) }}
),
{% endfor %}
{%- endif %}
orders as (
    select
        *,
        -- A fact that has only a date sees its dimensions as they were when that date ended.
        {{ end_of_local_date('coalesce(ordered_date, ' ~ local_date('created_at') ~ ')') }}
            as ends_at
    from {{ ref('vw_orders_current') }}
    {%- if is_incremental() %}
    where {{ recomputed('erp/orders') }}
        or order_line_hk in (select touched_deliveries.order_line_hk from touched_deliveries)
        {%- for one, many in members.items() %}
        or {{ one }}_id in (select touched_{{ many }}.{{ one }}_id from touched_{{ many }})
        {%- endfor %}
        or order_line_hk in (
            select former.order_key
            from {{ this }} as former
            where former.has_date_outside_calendar
        )
    {%- endif %}
),

final as (
    select
        orders.order_line_hk as order_key,
        orders.order_id,
        orders.requisition_id,
        {{ member_key('orders.item_id', 'items.item_key') }} as item_key,
        {{ member_key('orders.supplier_id', 'suppliers.supplier_key') }} as supplier_key,
        case
            when orders.tower_id is null and items.is_service
                then {{ special_key('not_applicable') }}
            else {{ member_key('orders.tower_id', 'towers.tower_key') }}
        end as tower_key,
        {{ member_key('orders.contract_id', 'contracts.contract_key') }} as contract_key,
        orders.item_id,
        orders.supplier_id,
        orders.tower_id,
        orders.contract_id,
        orders.order_status,
        items.is_service,
        orders.requested_date,
        orders.needed_date,
        orders.ordered_date,
        orders.expected_date,
        deliveries.first_received_date,
        deliveries.last_received_date,
        deliveries.completed_date,
        orders.quantity as ordered_quantity,
        deliveries.received_quantity,
        cast(
            case
                when orders.order_status in ('open', 'partial')
                    and orders.quantity > deliveries.received_quantity
                    then orders.quantity - deliveries.received_quantity
                else 0
            end as numeric(18, 3)
        ) as open_quantity,
        orders.unit_price_brl,
        -- Widened first: the engine's own choice of precision for the product may overflow.
        cast(
            cast(orders.quantity as numeric(26, 3)) * orders.unit_price_brl as numeric(28, 5)
        ) as amount_brl,
        deliveries.receipt_count,
        {{ days_between('orders.requested_date', 'orders.ordered_date') }} as request_days,
        {{ days_between('orders.ordered_date', 'deliveries.completed_date') }} as lead_time_days,
        {{ days_between('orders.expected_date', 'deliveries.completed_date') }} as delay_days,
        case
            when deliveries.completed_date is null and orders.order_status = 'cancelled'
                then 'cancelled'
            when deliveries.is_open then 'open'
            when deliveries.completed_date is null then 'closed_short'
            when orders.ordered_date is null then 'undated'
            when deliveries.completed_date > orders.ordered_date then 'positive'
            when deliveries.completed_date = orders.ordered_date then 'zero'
            else 'negative'
        end as lead_time_status,
        deliveries.is_completed,
        deliveries.is_open,
        deliveries.receipt_count > 1 as is_partial_delivery,
        deliveries.completed_date <= orders.expected_date as is_on_time,
        (
            {%- for date in dates %}
            {{ 'or ' if not loop.first }}coalesce(
                {{ date }} not between calendar.first_date and calendar.last_date, false
            )
            {%- endfor %}
        ) as has_date_outside_calendar,
        orders.created_at as booked_at,
        orders.commit_lsn as _commit_lsn
    from orders
    inner join deliveries on orders.order_line_hk = deliveries.order_line_hk
    cross join calendar
    left join items
        on orders.item_id = items.item_id
        and orders.ends_at > items.found_from
        and orders.ends_at <= coalesce(items.found_until, {{ end_of_time() }})
    left join suppliers
        on orders.supplier_id = suppliers.supplier_id
        and orders.ends_at > suppliers.found_from
        and orders.ends_at <= coalesce(suppliers.found_until, {{ end_of_time() }})
    left join towers
        on orders.tower_id = towers.tower_id
        and orders.ends_at > towers.found_from
        and orders.ends_at <= coalesce(towers.found_until, {{ end_of_time() }})
    left join contracts
        on orders.contract_id = contracts.contract_id
        and orders.ends_at > contracts.found_from
        and orders.ends_at <= coalesce(contracts.found_until, {{ end_of_time() }})
)

select * from final
