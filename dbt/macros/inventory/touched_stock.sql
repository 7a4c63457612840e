{#
What. The pairs of item and tower whose stock may differ from what was last built, and the local
date from which on it may: `touched_from`.
Why. A movement that was corrected belonged to another pair before; the satellite has all that was
ever said of it, whatever the history makes of it.
Args. None.
Example. where exists (select 1 from ({{ touched_stock() }}) as touched where …)
#}
{% macro touched_stock() -%}
    select
        item_said.item_id,
        tower_said.tower_id,
        coalesce(
            min({{ local_date('date_said.moved_at') }}), {{ local_date(beginning_of_time()) }}
        ) as touched_from
    from {{ ref('sat_stock_movement__erp') }} as item_said
    inner join {{ ref('sat_stock_movement__erp') }} as tower_said
        on item_said.stock_movement_hk = tower_said.stock_movement_hk
    left join {{ ref('sat_stock_movement__erp') }} as date_said
        on item_said.stock_movement_hk = date_said.stock_movement_hk
    where item_said.item_id is not null
        and tower_said.tower_id is not null
        and item_said.stock_movement_hk in (
            select changed.stock_movement_hk
            from {{ ref('int_stock_movements_changed') }} as changed
            where {{ recomputed('erp/stock_movements') }}
        )
    group by item_said.item_id, tower_said.tower_id
{%- endmacro %}
