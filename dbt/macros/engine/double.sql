{#
What. A number as a double, the only kind that may be divided or rooted in a model.
Why. Each engine divides decimals to another scale, and reads 0.005 as another type.
Args. expression: an SQL expression of a whole number or a decimal.
Example. sqrt({{ double('demand_variance_thousandths') }})
#}
{% macro double(expression) -%}
    {{ return(adapter.dispatch('double')(expression)) }}
{%- endmacro %}

{% macro default__double(expression) -%}
    cast({{ expression }} as double precision)
{%- endmacro %}

{% macro spark__double(expression) -%}
    cast({{ expression }} as double)
{%- endmacro %}
