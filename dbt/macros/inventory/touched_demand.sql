{#
What. The items and local dates whose demand may differ from what was last built.
Why. A request that was corrected belonged to another item or day before; the satellite has all that
was ever said of it, whatever the history makes of it. A new version of a dimension changes which
one the demand of its member points at, and a work order that comes late says which tower asked.
Args. None.
Example. where exists (select 1 from ({{ touched_demand() }}) as touched where …)
#}
{% macro touched_demand() -%}
    select
        item_said.item_id,
        {{ local_date('date_said.requested_at') }} as demand_date
    from {{ ref('sat_material_request__erp') }} as item_said
    inner join {{ ref('sat_material_request__erp') }} as date_said
        on item_said.material_request_hk = date_said.material_request_hk
    where item_said.item_id is not null
        and date_said.requested_at is not null
        and item_said.material_request_hk in (
            select changed.material_request_hk
            from {{ ref('int_material_requests_changed') }} as changed
            where {{ recomputed('erp/material_requests') }}
        )
    union
    select
        requests.item_id,
        {{ local_date('requests.requested_at') }} as demand_date
    from {{ ref('vw_material_requests_current') }} as requests
    left join {{ ref('vw_work_orders_current') }} as work_orders
        on requests.work_order_id = work_orders.work_order_id
    where requests.work_order_id in (
    {{ touched_members(
        ref('hub_work_order'), ref('int_work_orders_changed'), 'work_order_hk', 'work_order_id',
        'erp/work_orders'
    ) }}
    )
    or requests.item_id in (
    {{ touched_members(
        ref('hub_item'), ref('int_items_changed'), 'item_hk', 'item_id', 'erp/items'
    ) }}
    )
    {%- for tower in ['requests.store_tower_id', 'work_orders.tower_id'] %}
    or {{ tower }} in (
    {{ touched_members(
        ref('hub_tower'), ref('int_towers_changed'), 'tower_hk', 'tower_id', 'erp/towers'
    ) }}
    )
    {%- endfor %}
{%- endmacro %}
