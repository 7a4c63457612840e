{#
What. The rows that the source has now, with their business keys: what a mart reads of an entity.
Why. Which of the delivered changes is the last one is the history's to say, and the business key is
the hub's; joined here once, no mart has to know either.
Args. hash_key; history: a relation made by change_history; keys: list of mappings with `hub`,
`hash_key` and `business_key`; payload: list of columns of the history; link: for an entity that is
a relation, the link in which the hubs' keys stand.
Example. {{ current_view('item_hk', ref('int_items_changed'), [
    {'hub': ref('hub_item'), 'hash_key': 'item_hk', 'business_key': 'item_id'}
], ['item_name']) }}
#}
{% macro current_view(hash_key, history, keys, payload=[], link=none) -%}
{%- do require_arguments('current_view', {
    'hash_key': hash_key, 'history': history, 'keys': keys
}) -%}
select
    history.{{ hash_key }},
    {%- for key in keys %}
    hub_{{ loop.index }}.{{ key.business_key }},
    {%- endfor %}
    {%- for column in payload %}
    history.{{ column }},
    {%- endfor %}
    history.effective_at,
    history.commit_lsn,
    history._batch_id,
    history._boundary_batch_id
from {{ history }} as history
{%- if link %}
inner join {{ link }} as link on history.{{ hash_key }} = link.{{ hash_key }}
{%- endif %}
{%- for key in keys %}
inner join {{ key.hub }} as hub_{{ loop.index }}
    on {{ 'link' if link else 'history' }}.{{ key.hash_key }}
    = hub_{{ loop.index }}.{{ key.hash_key }}
{%- endfor %}
where history.is_latest
    and not history.is_deleted
{%- endmacro %}
