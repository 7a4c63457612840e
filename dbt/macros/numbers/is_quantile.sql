{#
What. Whether a row is its group's quantile: the value at rank ceil(rows * numerator / denominator),
one that occurred, in whole numbers, so that every engine takes the same row.
Why. Multiplied instead of divided: it is asked of each row and quantile, and an exact division
(`integer_division`) takes thirty times as long.
Args. place: the row's rank from 1 on; places: how many rows the group has; numerator, denominator:
whole numbers, such as 9 and 10.
Example. max(case when {{ is_quantile('place', 'places', 9, 10) }} then lead_time_days end)
#}
{% macro is_quantile(place, places, numerator, denominator) -%}
    {%- do require_arguments('is_quantile', {
        'place': place, 'places': places, 'numerator': numerator, 'denominator': denominator
    }) -%}
    {{ place }} * {{ denominator }} between {{ places }} * {{ numerator }}
    and {{ places }} * {{ numerator }} + {{ denominator - 1 }}
{%- endmacro %}
