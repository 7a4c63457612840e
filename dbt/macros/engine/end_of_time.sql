{#
What. An instant after every other: what stands for the end of a version that has none yet.
Why. DuckDB runs an outer join on `a < b or b is null` as a loop over all pairs, also where keys are
equal: with thirty times the rows it took nine hundred times as long. One comparison is hashed.
Args. None.
Example. and moved_at < coalesce(items.found_until, {{ end_of_time() }})
#}
{% macro end_of_time() -%}
    {{ return(adapter.dispatch('end_of_time')()) }}
{%- endmacro %}

{% macro default__end_of_time() -%}
    cast('9999-12-31 00:00:00+00:00' as timestamp with time zone)
{%- endmacro %}

{% macro spark__end_of_time() -%}
    cast('9999-12-31 00:00:00+00:00' as timestamp)
{%- endmacro %}
