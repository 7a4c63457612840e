{#
What. The condition that fact_inventory has rows of a date: one of the last days (var
`inventory_days`) up to as_of_date, or an earlier month's last.
Why. The table drops a day that grew old and appends the new one by the same condition.
Args. date: an SQL expression of a date.
Example. where {{ is_inventory_date('calendar_date') }}
#}
{% macro is_inventory_date(date) -%}
    (
        {{ date }} <= {{ as_of_date() }}
        and (
            {{ date }} > {{ add_days(as_of_date(), -(var('inventory_days') | int)) }}
            or extract(day from {{ add_days(date, 1) }}) = 1
        )
    )
{%- endmacro %}
