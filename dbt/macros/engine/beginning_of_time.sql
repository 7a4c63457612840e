{#
What. The instant at which the first version of every dimension member opens.
Why. An event older than what we know of its item still finds it, and the inferred member of a
key has the same surrogate key as the first real version that replaces it.
Args. None.
Example. case when is_first then {{ beginning_of_time() }} else effective_at end
#}
{% macro beginning_of_time() -%}
    {{ return(adapter.dispatch('beginning_of_time')()) }}
{%- endmacro %}

{% macro default__beginning_of_time() -%}
    cast('1900-01-01 00:00:00+00:00' as timestamp with time zone)
{%- endmacro %}

{% macro spark__beginning_of_time() -%}
    cast('1900-01-01 00:00:00+00:00' as timestamp)
{%- endmacro %}
