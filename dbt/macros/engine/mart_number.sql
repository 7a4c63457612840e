{#
What. A computed number as it stands in a mart: six decimals, rounded half up, as numeric(18, 6).
Why. round() and a cast of a double differ between engines in the last digit (1,420 of 200,000
did); the floor of a double, a whole number and one exact product do not.
Args. expression: an SQL expression of a double, or of what may become one; below 10^12.
Example. {{ mart_number('sqrt(' ~ double('variance') ~ ')') }} as demand_stddev
#}
{% macro mart_number(expression) -%}
    {%- do require_arguments('mart_number', {'expression': expression}) -%}
    cast(
        cast(floor({{ double(expression) }} * {{ double(1000000) }} + {{ double('0.5') }}) as bigint)
        * cast(0.000001 as numeric(7, 6)) as numeric(18, 6)
    )
{%- endmacro %}
