{#
What. A UTC timestamp as whole microseconds since 1970.
Why. Each engine writes a timestamp as text in its own way; a whole number is the same on all.
Args. timestamp: an SQL expression of type timestamp with time zone.
Example. {{ epoch_microseconds('moved_at') }}
#}
{% macro epoch_microseconds(timestamp) -%}
    {{ return(adapter.dispatch('epoch_microseconds')(timestamp)) }}
{%- endmacro %}

{% macro default__epoch_microseconds(timestamp) -%}
    cast(extract(epoch from {{ timestamp }}) * 1000000 as bigint)
{%- endmacro %}

{% macro duckdb__epoch_microseconds(timestamp) -%}
    epoch_us({{ timestamp }})
{%- endmacro %}

{% macro spark__epoch_microseconds(timestamp) -%}
    unix_micros({{ timestamp }})
{%- endmacro %}
