{#
What. The md5 of several values: each part carries its length, and null is no empty text.
Why. With a separator, values that contain it fall together: ('a|', 'b') and ('a', '|b').
Args. columns: mapping of SQL expression to type (see text_of), at least one, order counts.
Example. {{ hash_of({'item_name': 'text', 'unit_cost_brl': 'numeric(12,2)'}) }} as hashdiff
#}
{% macro hash_of(columns) -%}
    {%- if columns is not mapping or not columns -%}
        {{ exceptions.raise_compiler_error(
            "hash_of: columns must map at least one expression to its type, not " ~ columns
        ) }}
    {%- endif -%}
    {%- set parts = [] -%}
    {%- for column, type in columns.items() -%}
        {%- set text = text_of(column, type) -%}
        {%- do parts.append(
            "coalesce('V' || cast(length(" ~ text ~ ") as " ~ dbt.type_string() ~ ") || ':' || "
            ~ text ~ ", 'N')"
        ) -%}
    {%- endfor -%}
    md5({{ parts | join(' || ') }})
{%- endmacro %}
