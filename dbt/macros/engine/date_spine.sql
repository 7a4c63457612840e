{#
What. A query of every date from one to another, both included, in column `calendar_date`.
Why. Dense series need the days on which nothing happened; each engine counts dates another way.
No rows when the end is before the start, or either is null.
Args. start_sql, end_sql: SQL expressions of dates; a query in parentheses is one.
Example. with days as ({{ date_spine("(select min(moved_date) from moves)", as_of_date()) }})
#}
{% macro date_spine(start_sql, end_sql) -%}
    {%- do require_arguments('date_spine', {'start_sql': start_sql, 'end_sql': end_sql}) -%}
    {{ return(adapter.dispatch('date_spine')(start_sql, end_sql)) }}
{%- endmacro %}

{% macro default__date_spine(start_sql, end_sql) -%}
    select cast(series.day as date) as calendar_date
    from
        generate_series(
            cast({{ start_sql }} as timestamp),
            cast({{ end_sql }} as timestamp),
            interval '1 day'
        ) as series (day)
{%- endmacro %}

{% macro duckdb__date_spine(start_sql, end_sql) -%}
    select
        cast(
            unnest(
                generate_series(
                    cast({{ start_sql }} as timestamp),
                    cast({{ end_sql }} as timestamp),
                    interval '1 day'
                )
            ) as date
        ) as calendar_date
{%- endmacro %}

{% macro spark__date_spine(start_sql, end_sql) -%}
    select explode(sequence(first_date, last_date, interval 1 day)) as calendar_date
    from (
        select cast({{ start_sql }} as date) as first_date, cast({{ end_sql }} as date) as last_date
    ) as ends
    where first_date <= last_date
{%- endmacro %}
