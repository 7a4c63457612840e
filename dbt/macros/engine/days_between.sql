{#
What. How many days one date is after another, as an integer; negative when it is before.
Why. The difference of two dates is a number, an interval or nothing, each engine its own.
Args. start_date, end_date: SQL expressions of dates, not of timestamps: those have no date until
a time zone gives them one, see local_date.
Example. {{ days_between('ordered_date', 'received_date') }} as lead_time_days
#}
{% macro days_between(start_date, end_date) -%}
    {%- do require_arguments('days_between', {'start_date': start_date, 'end_date': end_date}) -%}
    {{ return(adapter.dispatch('days_between')(start_date, end_date)) }}
{%- endmacro %}

{% macro default__days_between(start_date, end_date) -%}
    cast(({{ end_date }}) - ({{ start_date }}) as integer)
{%- endmacro %}

{% macro spark__days_between(start_date, end_date) -%}
    datediff({{ end_date }}, {{ start_date }})
{%- endmacro %}
