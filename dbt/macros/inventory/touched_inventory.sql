{#
What. The pairs of item and tower of which days in fact_inventory may differ from what was built,
and the local date from which on they may: `touched_from`.
Why. What moved, whether the ERP keeps the pair, and the versions of dimensions that days point at.
A pair's days are many, and what happens today leaves those before it alone.
Args. None.
Example. where exists (select 1 from ({{ touched_inventory() }}) as touched where …)
#}
{% macro touched_inventory() -%}
    select
        item_id,
        tower_id,
        min(touched_from) as touched_from
    from (
{{ touched_stock() }}
        union all
        select
            hub_item.item_id,
            hub_tower.tower_id,
            {{ local_date(beginning_of_time()) }} as touched_from
        from {{ ref('link_item_tower') }} as link
        inner join {{ ref('hub_item') }} as hub_item on link.item_hk = hub_item.item_hk
        inner join {{ ref('hub_tower') }} as hub_tower on link.tower_hk = hub_tower.tower_hk
        where link.item_tower_hk in (
{{ touched_keeping() }}
        )
        union all
        select
            touched_items.item_id,
            hub_tower.tower_id,
            touched_items.touched_from
        from (
{{ members_touched_from(
    ref('hub_item'), ref('sat_item__erp'), ref('int_items_changed'), ref('dim_items'),
    'item_hk', 'item_id', 'erp/items'
) }}
        ) as touched_items
        inner join {{ ref('hub_item') }} as hub_item on touched_items.item_id = hub_item.item_id
        inner join {{ ref('link_item_tower') }} as link on hub_item.item_hk = link.item_hk
        inner join {{ ref('hub_tower') }} as hub_tower on link.tower_hk = hub_tower.tower_hk
        union all
        select
            hub_item.item_id,
            touched_towers.tower_id,
            touched_towers.touched_from
        from (
{{ members_touched_from(
    ref('hub_tower'), ref('sat_tower__erp'), ref('int_towers_changed'), ref('dim_towers'),
    'tower_hk', 'tower_id', 'erp/towers'
) }}
        ) as touched_towers
        inner join {{ ref('hub_tower') }} as hub_tower
            on touched_towers.tower_id = hub_tower.tower_id
        inner join {{ ref('link_item_tower') }} as link on hub_tower.tower_hk = link.tower_hk
        inner join {{ ref('hub_item') }} as hub_item on link.item_hk = hub_item.item_hk
    ) as touched
    group by item_id, tower_id
{%- endmacro %}
