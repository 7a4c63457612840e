{#
What. The instant so many hours after another.
Why. Each engine multiplies an interval another way, or not at all.
Args. timestamp: an SQL expression of an instant; hours: one of a whole number.
Example. {{ add_hours('opened_at', 'sla_hours') }} as due_at
#}
{% macro add_hours(timestamp, hours) -%}
    {%- do require_arguments('add_hours', {'timestamp': timestamp, 'hours': hours}) -%}
    {{ return(adapter.dispatch('add_hours')(timestamp, hours)) }}
{%- endmacro %}

{% macro default__add_hours(timestamp, hours) -%}
    {{ timestamp }} + cast({{ hours }} as integer) * interval '1 hour'
{%- endmacro %}

{% macro spark__add_hours(timestamp, hours) -%}
    timestampadd(hour, cast({{ hours }} as int), {{ timestamp }})
{%- endmacro %}
