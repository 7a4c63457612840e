{#
What. The satellite of a link that says when the relation holds: `is_effective`, change by change.
Why. The relation lives as long as its source's row, so a deletion ends it and a return begins it
anew. Intervals are for the history to make: stored here, a late change would have to rewrite them.
There is no driving key: one site may be covered by several contracts at once.
Args. As satellite; `is_effective` comes before the payload.
Example. {{ effectivity_satellite('tower_contract_hk', ['created_at'], {
    'relation': ref('stg_erp__tower_contracts'), 'where': 'true'
}) }}
#}
{% macro effectivity_satellite(hash_key, payload, source) -%}
{{ satellite(
    hash_key, ['is_effective'] + payload, source, derived={'is_effective': "op <> 'delete'"}
) }}
{%- endmacro %}
