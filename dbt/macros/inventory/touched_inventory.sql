{#
What. The pairs of item and tower of which any day in fact_inventory may differ from what was built.
Why. What moved, what the ERP keeps, and the dimensions' versions that the days point at.
Args. None.
Example. where exists (select 1 from ({{ touched_inventory() }}) as touched where …)
#}
{% macro touched_inventory() -%}
{{ touched_stock() }}
    union
    select
        hub_item.item_id,
        hub_tower.tower_id
    from {{ ref('link_item_tower') }} as link
    inner join {{ ref('hub_item') }} as hub_item on link.item_hk = hub_item.item_hk
    inner join {{ ref('hub_tower') }} as hub_tower on link.tower_hk = hub_tower.tower_hk
    where link.item_tower_hk in (
        select changed.item_tower_hk
        from {{ ref('int_inventory_changed') }} as changed
        where {{ recomputed('erp/inventory') }}
    )
    or link.item_hk in (
        select changed.item_hk
        from {{ ref('int_items_changed') }} as changed
        where {{ recomputed('erp/items') }}
    )
    or link.tower_hk in (
        select changed.tower_hk
        from {{ ref('int_towers_changed') }} as changed
        where {{ recomputed('erp/towers') }}
    )
{%- endmacro %}
