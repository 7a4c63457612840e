-- Grain: one row per stock movement that the ERP still has, as it was last corrected.
{#- Incremental by key. A deleted movement has no row to replace the old one with, so it is taken
out at the end of the same transaction. -#}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='stock_movement_key',
    on_schema_change='fail',
    post_hook="
        delete from {{ this }}
        where stock_movement_key in (
            select stock_movement_hk
            from {{ ref('int_stock_movements_changed') }}
            where is_latest and is_deleted
        )
    ",
) }}
-- depends_on: {{ ref('hub_item') }} {{ ref('hub_tower') }}
-- depends_on: {{ ref('int_items_changed') }} {{ ref('int_towers_changed') }}
with history as (
    select * from {{ ref('int_stock_movements_changed') }}
),

hub as (
    select * from {{ ref('hub_stock_movement') }}
),

items as (
{{ dimension_as_of(ref('dim_items'), 'item_id', ['item_key']) }}
),

towers as (
{{ dimension_as_of(ref('dim_towers'), 'tower_id', ['tower_key']) }}
),
{% if is_incremental() %}
touched_items as (
{{ touched_members(
    ref('hub_item'), ref('int_items_changed'), 'item_hk', 'item_id', 'erp/items'
) }}
),

touched_towers as (
{{ touched_members(
    ref('hub_tower'), ref('int_towers_changed'), 'tower_hk', 'tower_id', 'erp/towers'
) }}
),
{% endif %}
movements as (
    select
        hub.stock_movement_id,
        history.*
    from history
    inner join hub on history.stock_movement_hk = hub.stock_movement_hk
    where history.is_latest
        and not history.is_deleted
    {%- if is_incremental() %}
        -- A new version of an item or a tower changes which one its movements point at.
        and (
            {{ recomputed('erp/stock_movements') }}
            or history.item_id in (select touched_items.item_id from touched_items)
            or history.tower_id in (select touched_towers.tower_id from touched_towers)
        )
    {%- endif %}
),

final as (
    select
        movements.stock_movement_hk as stock_movement_key,
        movements.stock_movement_id,
        {{ member_key('movements.item_id', 'items.item_key') }} as item_key,
        {{ member_key('movements.tower_id', 'towers.tower_key') }} as tower_key,
        movements.item_id,
        movements.tower_id,
        movements.movement_type,
        movements.note,
        movements.quantity,
        movements.unit_cost_brl,
        -- Widened first: the engine's own choice of precision for the product may overflow.
        cast(
            cast(movements.quantity as numeric(26, 3)) * movements.unit_cost_brl as numeric(28, 5)
        ) as amount_brl,
        movements.moved_at,
        {{ local_date('movements.moved_at') }} as moved_date,
        movements.created_at as booked_at,
        movements.commit_lsn as _commit_lsn
    from movements
    left join items
        on movements.item_id = items.item_id
        and movements.moved_at >= items.found_from
        and movements.moved_at < coalesce(items.found_until, {{ end_of_time() }})
    left join towers
        on movements.tower_id = towers.tower_id
        and movements.moved_at >= towers.found_from
        and movements.moved_at < coalesce(towers.found_until, {{ end_of_time() }})
)

select * from final
