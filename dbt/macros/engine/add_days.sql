{#
What. The date so many days after another; before it, when the number is negative.
Why. A date plus a number is a date, a timestamp or an error, each engine its own.
Args. date: an SQL expression of a date; days: one of a whole number.
Example. {{ add_days('ordered_date', 'lead_time_days') }} as expected_date
#}
{% macro add_days(date, days) -%}
    {%- do require_arguments('add_days', {'date': date}) -%}
    {{ return(adapter.dispatch('add_days')(date, days)) }}
{%- endmacro %}

{% macro default__add_days(date, days) -%}
    cast({{ date }} + cast({{ days }} as integer) as date)
{%- endmacro %}

{% macro spark__add_days(date, days) -%}
    date_add({{ date }}, cast({{ days }} as int))
{%- endmacro %}
