{#
What. The business date that this build speaks as of, as an SQL literal.
Why. Marts never read the wall clock: a rebuild next year must give the same rows.
Args. None; the variable `as_of_date` overrides what was frozen.
Example. {{ as_of_date() }} as as_of_date
#}
{% macro as_of_date() -%}
    {%- set frozen = run_context('erp/stock_movements').as_of_date -%}
    {%- set date = var('as_of_date', frozen) -%}
    cast({{ "'" ~ date ~ "'" if date else 'null' }} as date)
{%- endmacro %}
