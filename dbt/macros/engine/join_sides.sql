{#
What. A hook: from now on joins keep in memory the side that is written second; false ends that.
Why. DuckDB takes for that the side it believes is smaller. Of a join over a range of days it
believes far too few rows, and then holds millions of them, more than its memory.
Args. as_written: whether it is so from here on.
Example. {{ config(pre_hook='{{ join_sides(true) }}', post_hook='{{ join_sides(false) }}') }}
#}
{% macro join_sides(as_written) -%}
    {{ return(adapter.dispatch('join_sides')(as_written)) }}
{%- endmacro %}

{% macro default__join_sides(as_written) -%}
{%- endmacro %}

{% macro duckdb__join_sides(as_written) -%}
    {{ "set disabled_optimizers = 'build_side_probe_side'" if as_written
        else 'reset disabled_optimizers' }}
{%- endmacro %}

{% macro spark__join_sides(as_written) -%}
{%- endmacro %}
