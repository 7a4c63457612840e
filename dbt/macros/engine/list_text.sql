{#
What. An aggregate: the texts of a group, one after another in a fixed order; nulls are left out.
Why. Each engine has another function for it, another default order, and another collation.
Args. expression: an SQL expression of text; order_by: what to sort by, compared as text, byte by
byte, ties by the expression itself; separator: plain text to put between two.
Example. {{ list_text('supplier_name', 'supplier_id', ', ') }} as supplier_names
#}
{% macro list_text(expression, order_by, separator) -%}
    {%- do require_arguments('list_text', {
        'expression': expression, 'order_by': order_by, 'separator': separator
    }) -%}
    {{ return(adapter.dispatch('list_text')(
        expression, order_by, "'" ~ separator | replace("'", "''") ~ "'"
    )) }}
{%- endmacro %}

{% macro default__list_text(expression, order_by, separator) -%}
    string_agg(
        {{ expression }}, {{ separator }}
        order by cast({{ order_by }} as text) collate "C", {{ expression }} collate "C"
    )
{%- endmacro %}

{% macro duckdb__list_text(expression, order_by, separator) -%}
    string_agg(
        {{ expression }}, {{ separator }} order by cast({{ order_by }} as text), {{ expression }}
    )
{%- endmacro %}

{% macro spark__list_text(expression, order_by, separator) -%}
    array_join(
        transform(
            array_sort(
                collect_list(
                    case
                        when {{ expression }} is not null
                            then struct(cast({{ order_by }} as string) as place, {{ expression }} as word)
                    end
                )
            ),
            entry -> entry.word
        ),
        {{ separator }}
    )
{%- endmacro %}
