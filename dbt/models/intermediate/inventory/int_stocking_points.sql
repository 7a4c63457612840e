-- Grain: one row per item and place at which it may be reordered: a store that keeps it or was
-- asked for it, or any other tower where the ERP keeps a minimum.
with asked as (
    select
        item_id,
        store_tower_id,
        min(demand_date) as first_date
    from {{ ref('fact_demand') }}
    where demand_date <= {{ as_of_date() }}
    group by item_id, store_tower_id
),

moved as (
    select
        item_id,
        min(from_date) as first_date
    from {{ ref('int_stock_levels') }}
    group by item_id
),

inventory as (
    select * from {{ ref('vw_inventory_current') }}
),

pairs as (
    select
        item_id,
        tower_id as store_tower_id
    from inventory
    union
    select
        item_id,
        store_tower_id
    from asked
),

-- Stores have a history of their own, but what is new to the company has none anywhere.
first_seen as (
    select
        item_id,
        min(first_date) as first_date
    from (
        select
            item_id,
            first_date
        from asked
        union all
        select
            item_id,
            first_date
        from moved
    ) as seen
    group by item_id
),

final as (
    select
        pairs.item_id,
        pairs.store_tower_id,
        towers.served_by_tower_id is null as is_store,
        inventory.item_id is not null as is_in_inventory,
        inventory.min_stock,
        inventory.max_stock,
        greatest(
            coalesce(first_seen.first_date, {{ as_of_date() }}),
            {{ add_days(as_of_date(), 1 - (var('demand_days') | int)) }}
        ) as series_start_date
    from pairs
    inner join {{ ref('vw_items_current') }} as items on pairs.item_id = items.item_id
    inner join {{ ref('vw_towers_current') }} as towers on pairs.store_tower_id = towers.tower_id
    left join first_seen on pairs.item_id = first_seen.item_id
    left join inventory
        on pairs.item_id = inventory.item_id
        and pairs.store_tower_id = inventory.tower_id
    where not items.is_service
        and (towers.served_by_tower_id is null or inventory.min_stock > 0)
)

select * from final
