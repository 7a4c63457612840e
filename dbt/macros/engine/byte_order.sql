{#
What. A text to sort by: in the order of its bytes.
Why. A server sorts by the language it was set up for: `011989-N` comes before `0119890` in one and
after it in another, and with it every rank and tie.
Args. expression: an SQL expression of a text.
Example. row_number() over (order by {{ byte_order('item_id') }}) as place
#}
{% macro byte_order(expression) -%}
    {{ return(adapter.dispatch('byte_order')(expression)) }}
{%- endmacro %}

{% macro default__byte_order(expression) -%}
    {{ expression }}
{%- endmacro %}

{% macro postgres__byte_order(expression) -%}
    {{ expression }} collate "C"
{%- endmacro %}

{% macro spark__byte_order(expression) -%}
    {{ expression }}
{%- endmacro %}
