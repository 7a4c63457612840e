-- Grain: one row per item, tower that needed it, store that was asked and local day of asking.
{#- Incremental by item and day: what was touched is taken out and computed again. -#}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ taken_out(touched_demand(), ['item_id', 'demand_date']) }}",
) }}
-- depends_on: {{ ref('sat_material_request__erp') }} {{ ref('int_material_requests_changed') }}
-- depends_on: {{ ref('hub_work_order') }} {{ ref('int_work_orders_changed') }}
-- depends_on: {{ ref('hub_item') }} {{ ref('int_items_changed') }}
-- depends_on: {{ ref('hub_tower') }} {{ ref('int_towers_changed') }}
with requests as (
    select
        requests.item_id,
        work_orders.tower_id,
        requests.store_tower_id,
        {{ local_date('requests.requested_at') }} as demand_date,
        requests.request_status,
        requests.requested_quantity,
        requests.issued_quantity
    from {{ ref('vw_material_requests_current') }} as requests
    left join {{ ref('vw_work_orders_current') }} as work_orders
        on requests.work_order_id = work_orders.work_order_id
),

items as (
{{ dimension_as_of(ref('dim_items'), 'item_id', ['item_key']) }}
),

towers as (
{{ dimension_as_of(ref('dim_towers'), 'tower_id', ['tower_key']) }}
),
{% if is_incremental() %}
touched as (
{{ touched_demand() }}
),
{% endif %}
demand as (
    select
        item_id,
        tower_id,
        store_tower_id,
        demand_date,
        count(*) as request_count,
        cast(sum(requested_quantity) as numeric(18, 3)) as requested_quantity,
        cast(sum(issued_quantity) as numeric(18, 3)) as issued_quantity,
        cast(
            sum(
                case
                    when request_status = 'waiting' then requested_quantity - issued_quantity
                    else 0
                end
            ) as numeric(18, 3)
        ) as waiting_quantity
    from requests
    {%- if is_incremental() %}
    where exists (
        select 1
        from touched
        where touched.item_id = requests.item_id
            and touched.demand_date = requests.demand_date
    )
    {%- endif %}
    group by item_id, tower_id, store_tower_id, demand_date
),

dated as (
    select
        *,
        {{ end_of_local_date('demand_date') }} as ends_at
    from demand
),

final as (
    select
        {{ hash_of({
            'dated.item_id': 'text',
            'dated.tower_id': 'text',
            'dated.store_tower_id': 'text',
            'dated.demand_date': 'date',
        }) }} as demand_key,
        {{ member_key('dated.item_id', 'items.item_key') }} as item_key,
        {{ member_key('dated.tower_id', 'towers.tower_key') }} as tower_key,
        {{ member_key('dated.store_tower_id', 'stores.tower_key') }} as store_tower_key,
        dated.item_id,
        dated.tower_id,
        dated.store_tower_id,
        dated.demand_date,
        dated.request_count,
        dated.requested_quantity,
        dated.issued_quantity,
        cast(dated.requested_quantity - dated.issued_quantity as numeric(18, 3)) as unmet_quantity,
        dated.waiting_quantity
    from dated
    left join items
        on dated.item_id = items.item_id
        and dated.ends_at > items.found_from
        and dated.ends_at <= coalesce(items.found_until, {{ end_of_time() }})
    left join towers
        on dated.tower_id = towers.tower_id
        and dated.ends_at > towers.found_from
        and dated.ends_at <= coalesce(towers.found_until, {{ end_of_time() }})
    left join towers as stores
        on dated.store_tower_id = stores.tower_id
        and dated.ends_at > stores.found_from
        and dated.ends_at <= coalesce(stores.found_until, {{ end_of_time() }})
)

select * from final
