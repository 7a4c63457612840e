{#
What. A query of the pairs of item and tower (item_tower_hk) of which the ERP may keep stock now and
did not when we last built, or the other way round.
Why. The ERP writes a pair's row with each movement, but that it is kept rarely changes: only where
both was ever said, or where a boundary says it, or where the pair is new.
Args. None.
Example. where link.item_tower_hk in ({{ touched_keeping() }})
#}
{% macro touched_keeping() -%}
    select states.item_tower_hk
    from (
        select
            item_tower_hk,
            op <> 'delete' and max_stock > 0 as is_kept,
            _batch_id
        from {{ ref('sat_item_tower__erp') }}
        union all
        select
            item_tower_hk,
            not is_deleted and max_stock > 0 as is_kept,
            null as _batch_id
        from {{ ref('int_inventory_changed') }}
    ) as states
    where states.item_tower_hk in (
        select changed.item_tower_hk
        from {{ ref('int_inventory_changed') }} as changed
        where {{ recomputed('erp/inventory') }}
    )
    group by states.item_tower_hk
    having count(distinct coalesce(states.is_kept, false)) > 1
        or min(states._batch_id) > {{ run_context('erp/inventory').from_batch }}
{%- endmacro %}
