-- Grain: one row per item, tower and period of local days in which the stock did not change.
{#- Incremental by pair: what was touched is taken out and computed again. -#}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ taken_out(touched_stock(), ['item_id', 'tower_id']) }}",
) }}
-- depends_on: {{ ref('sat_stock_movement__erp') }} {{ ref('int_stock_movements_changed') }}
with {% if is_incremental() %}touched as (
{{ touched_stock() }}
),

{% endif -%}
daily as (
    select
        movements.item_id,
        movements.tower_id,
        {{ local_date('movements.moved_at') }} as moved_date,
        sum(movements.quantity) as quantity
    from {{ ref('vw_stock_movements_current') }} as movements
    {%- if is_incremental() %}
    where exists (
        select 1
        from touched
        where touched.item_id = movements.item_id
            and touched.tower_id = movements.tower_id
    )
    {%- endif %}
    group by movements.item_id, movements.tower_id, {{ local_date('movements.moved_at') }}
),

final as (
    select
        item_id,
        tower_id,
        moved_date as from_date,
        lead(moved_date) over (partition by item_id, tower_id order by moved_date) as to_date,
        cast(
            sum(quantity) over (
                partition by item_id, tower_id
                order by moved_date
                rows between unbounded preceding and current row
            ) as numeric(18, 3)
        ) as quantity_on_hand
    from daily
)

select * from final
