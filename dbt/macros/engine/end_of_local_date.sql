{#
What. The instant at which a local date ends, which is the first of the next one.
Why. A fact that has only a date looks its dimensions up at that date's end.
Args. date: an SQL expression of a local date (see local_date).
Example. items.found_from < {{ end_of_local_date('demand_date') }}
#}
{% macro end_of_local_date(date) -%}
    {%- do require_arguments('end_of_local_date', {'date': date}) -%}
    {{ return(adapter.dispatch('end_of_local_date')(date)) }}
{%- endmacro %}

{% macro default__end_of_local_date(date) -%}
    cast({{ add_days(date, 1) }} as timestamp) at time zone '{{ var("local_timezone") }}'
{%- endmacro %}

{% macro spark__end_of_local_date(date) -%}
    to_utc_timestamp(cast({{ add_days(date, 1) }} as timestamp), '{{ var("local_timezone") }}')
{%- endmacro %}
