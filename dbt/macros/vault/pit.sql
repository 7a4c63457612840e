{#
What. A point-in-time table: for each key and time in which none of its satellites has another
state, where that state stands in each satellite's history.
Why. Whoever wants an entity as of an instant, from several satellites, joins each once by equality
instead of searching each for its last row. A key that no satellite knows points at the ghost.
Times are the histories' own, repaired and collapsed; the first state opens at the beginning of time.
Args. hash_key; hub: the relation that has every key; histories: mapping of a satellite's name to
the relation that change_history made of it; the column is named `<satellite>_seq`.
Example. {{ pit('item_hk', ref('hub_item'), {'sat_item__erp': ref('int_items_changed')}) }}
#}
{% macro pit(hash_key, hub, histories) -%}
{%- do require_arguments('pit', {'hash_key': hash_key, 'hub': hub, 'histories': histories}) -%}
with
{%- for name, history in histories.items() %}
{{ name }} as (
    select
        {{ hash_key }},
        seq,
        case
            when row_number() over (partition by {{ hash_key }} order by effective_at) = 1
                then {{ beginning_of_time() }}
            else effective_at
        end as holds_from,
        lead(effective_at) over (partition by {{ hash_key }} order by effective_at) as holds_until
    from (
        select
            {{ hash_key }},
            seq,
            effective_at,
            row_number() over (
                partition by {{ hash_key }}, effective_at order by seq desc
            ) as rank_in_instant
        from {{ history }}
    ) as ranked
    where rank_in_instant = 1
),
{% endfor %}
instants as (
    select {{ hash_key }}, {{ beginning_of_time() }} as effective_from from {{ hub }}
    {%- for name in histories %}
    union
    select {{ hash_key }}, holds_from as effective_from from {{ name }}
    {%- endfor %}
)

select
    instants.{{ hash_key }},
    instants.effective_from,
    lead(instants.effective_from) over (
        partition by instants.{{ hash_key }} order by instants.effective_from
    ) as effective_to
    {%- for name in histories %},
    coalesce({{ name }}.seq, '{{ "0" * 26 }}') as {{ name }}_seq
    {%- endfor %}
from instants
{%- for name in histories %}
left join {{ name }}
    on instants.{{ hash_key }} = {{ name }}.{{ hash_key }}
    and instants.effective_from >= {{ name }}.holds_from
    and (instants.effective_from < {{ name }}.holds_until or {{ name }}.holds_until is null)
{%- endfor %}
{%- endmacro %}
