{#
What. One spelling for a unit that the ERP spells two ways: M² and M2, M³ and M3.
Why. Totals by unit would fall apart; nothing else of a text is changed, least of all its case.
Args. unit: an SQL expression.
Example. {{ folded_unit('unit') }} as unit
#}
{% macro folded_unit(unit) -%}
    replace(replace({{ unit }}, '²', '2'), '³', '3')
{%- endmacro %}
