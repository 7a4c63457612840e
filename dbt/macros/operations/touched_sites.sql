{#
What. The sites whose cover by a contract or whose outages may differ from what was last built.
Why. An outage that was corrected was at another site before; the satellite has all that was ever
said of it.
Args. None.
Example. where tower_id in ({{ touched_sites() }})
#}
{% macro touched_sites() -%}
    select hub_tower.tower_id
    from {{ ref('hub_tower') }} as hub_tower
    inner join {{ ref('link_tower_contract') }} as link on hub_tower.tower_hk = link.tower_hk
    inner join {{ ref('int_tower_contracts_changed') }} as changed
        on link.tower_contract_hk = changed.tower_contract_hk
    where {{ recomputed('erp/tower_contracts') }}
    union
    select delivered.tower_id
    from {{ ref('sat_outage__erp') }} as delivered
    where delivered.tower_id is not null
        and delivered.outage_hk in (
            select changed.outage_hk
            from {{ ref('int_outages_changed') }} as changed
            where {{ recomputed('erp/outages') }}
        )
{%- endmacro %}
