{#
What. A dimension's versions with the time in which a fact finds each: `found_from` inclusive,
`found_until` exclusive and null for the last.
Why. An event in a gap, while the member was deleted, takes the last version before it.
Args. dimension: the relation; business_key: its column; columns: what to carry along.
Example. with items as ({{ dimension_as_of(ref('dim_items'), 'item_id', ['item_key']) }})
#}
{% macro dimension_as_of(dimension, business_key, columns) -%}
{%- do require_arguments('dimension_as_of', {
    'dimension': dimension, 'business_key': business_key, 'columns': columns
}) -%}
    select
        {{ business_key }},
        {{ columns | join(',\n        ') }},
        valid_from as found_from,
        lead(valid_from) over (
            partition by {{ business_key }} order by valid_from
        ) as found_until
    from {{ dimension }}
    where {{ business_key }} is not null
{%- endmacro %}
