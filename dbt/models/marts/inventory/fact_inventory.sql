-- Grain: one row per item, tower and day: each of the last days, and each earlier month's last.
{#- Incremental by pair and date: what was touched and what grew too old is taken out; touched pairs
are computed again from the date that touched them, and all pairs on dates that are not here yet. -#}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=[
        "{{ taken_out(
            touched_inventory(),
            ['item_id', 'tower_id'],
            and_where='touched.touched_from <= inventory_date',
            or_where='not ' ~ is_inventory_date('inventory_date')
        ) }}",
        '{{ join_sides(true) }}',
    ],
    post_hook='{{ join_sides(false) }}',
) }}
-- depends_on: {{ ref('sat_stock_movement__erp') }} {{ ref('int_stock_movements_changed') }}
-- depends_on: {{ ref('link_item_tower') }}
-- depends_on: {{ ref('sat_item_tower__erp') }} {{ ref('int_inventory_changed') }}
-- depends_on: {{ ref('hub_item') }} {{ ref('sat_item__erp') }} {{ ref('int_items_changed') }}
-- depends_on: {{ ref('hub_tower') }} {{ ref('sat_tower__erp') }} {{ ref('int_towers_changed') }}
with levels as (
    select * from {{ ref('int_stock_levels') }}
),

calendar as (
-- A movement of a wrong year counts in the stock of every day, and makes no days of its own.
{{ date_spine(
    "(select min(from_date) from levels where from_date >= cast('"
    ~ var('first_calendar_year') ~ "-01-01' as date))",
    as_of_date()
) }}
),

dates as (
    select
        calendar_date as inventory_date,
        {{ end_of_local_date('calendar_date') }} as ends_at
    from calendar
    where {{ is_inventory_date('calendar_date') }}
),

items as (
{{ dimension_as_of(ref('dim_items'), 'item_id', ['item_key', 'unit_cost_brl']) }}
),

towers as (
{{ dimension_as_of(ref('dim_towers'), 'tower_id', ['tower_key']) }}
),

-- Which version a day points at is asked once a day, not once a day and pair.
item_days as (
    select
        dates.inventory_date,
        items.item_id,
        items.item_key,
        items.unit_cost_brl
    from dates
    inner join items
        on dates.ends_at > items.found_from
        and dates.ends_at <= coalesce(items.found_until, {{ end_of_time() }})
),

tower_days as (
    select
        dates.inventory_date,
        towers.tower_id,
        towers.tower_key
    from dates
    inner join towers
        on dates.ends_at > towers.found_from
        and dates.ends_at <= coalesce(towers.found_until, {{ end_of_time() }})
),

kept as (
    select
        item_id,
        tower_id
    from {{ ref('vw_inventory_current') }}
    where max_stock > 0
),
{% if is_incremental() %}
touched as (
{{ touched_inventory() }}
),

-- A touched pair's levels from the date that touched it, so that no earlier day is made.
touched_levels as (
    select
        levels.item_id,
        levels.tower_id,
        greatest(levels.from_date, touched.touched_from) as from_date,
        levels.to_date,
        levels.quantity_on_hand
    from levels
    inner join touched
        on levels.item_id = touched.item_id
        and levels.tower_id = touched.tower_id
),

present as (
    select distinct inventory_date
    from {{ this }}
),

new_dates as (
    select dates.inventory_date
    from dates
    left join present on dates.inventory_date = present.inventory_date
    where present.inventory_date is null
),
{% endif %}
pair_days as (
    select
        levels.item_id,
        levels.tower_id,
        dates.inventory_date,
        levels.quantity_on_hand
    from {{ 'touched_levels as levels' if is_incremental() else 'levels' }}
    inner join dates
        on levels.from_date <= dates.inventory_date
        and (levels.to_date > dates.inventory_date or levels.to_date is null)
    {%- if is_incremental() %}
    union all
    select
        levels.item_id,
        levels.tower_id,
        new_dates.inventory_date,
        levels.quantity_on_hand
    from levels
    inner join new_dates
        on levels.from_date <= new_dates.inventory_date
        and (levels.to_date > new_dates.inventory_date or levels.to_date is null)
    left join touched
        on levels.item_id = touched.item_id
        and levels.tower_id = touched.tower_id
    where touched.touched_from is null
        or touched.touched_from > new_dates.inventory_date
    {%- endif %}
),

days as (
    select
        pair_days.*,
        kept.item_id is not null as is_kept
    from pair_days
    left join kept
        on pair_days.item_id = kept.item_id
        and pair_days.tower_id = kept.tower_id
    -- Nothing is kept at a site; there a day without stock is no news.
    where pair_days.quantity_on_hand <> 0
        or kept.item_id is not null
),

final as (
    select
        {{ hash_of({
            'days.item_id': 'text',
            'days.tower_id': 'text',
            'days.inventory_date': 'date',
        }) }} as inventory_key,
        {{ member_key('days.item_id', 'item_days.item_key') }} as item_key,
        {{ member_key('days.tower_id', 'tower_days.tower_key') }} as tower_key,
        days.item_id,
        days.tower_id,
        days.inventory_date,
        days.quantity_on_hand,
        item_days.unit_cost_brl,
        -- Widened first: the engine's own choice of precision for the product may overflow.
        cast(
            cast(days.quantity_on_hand as numeric(26, 3)) * item_days.unit_cost_brl
            as numeric(28, 5)
        ) as stock_value_brl,
        days.is_kept,
        days.is_kept and days.quantity_on_hand <= 0 as is_stocked_out
    from days
    left join item_days
        on days.item_id = item_days.item_id
        and days.inventory_date = item_days.inventory_date
    left join tower_days
        on days.tower_id = tower_days.tower_id
        and days.inventory_date = tower_days.inventory_date
)

select * from final
