{#
What. The date on which an instant fell where the company works (var `local_timezone`).
Why. `_date` columns are local dates; the sessions run in UTC, so a plain cast would be off by one.
Args. timestamp: an SQL expression of type timestamp with time zone.
Example. {{ local_date('moved_at') }} as moved_date
#}
{% macro local_date(timestamp) -%}
    {{ return(adapter.dispatch('local_date')(timestamp)) }}
{%- endmacro %}

{% macro default__local_date(timestamp) -%}
    cast({{ timestamp }} at time zone '{{ var("local_timezone") }}' as date)
{%- endmacro %}

{% macro spark__local_date(timestamp) -%}
    cast(from_utc_timestamp({{ timestamp }}, '{{ var("local_timezone") }}') as date)
{%- endmacro %}
