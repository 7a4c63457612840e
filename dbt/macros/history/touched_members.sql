{#
What. A query of the business keys whose history was computed again in this build's range.
Why. A new version of a member changes which one its facts point at: an incremental fact computes
the facts of these members again, and no others.
Args. hub, history: relations; hash_key, business_key: columns; bronze_table: `<source>/<entity>`.
Example. item_id in ({{ touched_members(
    ref('hub_item'), ref('int_items_changed'), 'item_hk', 'item_id', 'erp/items'
) }})
#}
{% macro touched_members(hub, history, hash_key, business_key, bronze_table) -%}
{%- do require_arguments('touched_members', {
    'hub': hub, 'history': history, 'hash_key': hash_key, 'business_key': business_key,
    'bronze_table': bronze_table
}) -%}
    select members.{{ business_key }}
    from {{ hub }} as members
    where members.{{ hash_key }} in (
        select changed.{{ hash_key }}
        from {{ history }} as changed
        where {{ recomputed(bronze_table) }}
    )
{%- endmacro %}
