{#
What. Whether a row differs from the row before it of the same key; the first one does.
Why. `is distinct from` compares values, nulls too, the same way on every engine.
Args. columns: list of columns to compare, the first never null; hash_key: the key; order_by.
Example. {{ differs_from_previous(['is_deleted', 'item_name'], 'item_hk') }} as is_change
#}
{% macro differs_from_previous(columns, hash_key, order_by='seq') -%}
    (
        {%- for column in columns %}
        {{ 'or ' if not loop.first }}{{ column }} is distinct from lag({{ column }}) over (
            partition by {{ hash_key }} order by {{ order_by }}
        )
        {%- endfor %}
    )
{%- endmacro %}
