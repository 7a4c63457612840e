{#
What. How many times a whole number goes into another, exact, as numeric(38, 0).
Why. `/` gives a double, a rounded decimal or a whole number, each engine its own: 7 / 2 is 3.5,
3.5000000000000000 and 3. For numbers of one sign the result is the floor. Null when divided by 0.
Args. numerator, denominator: SQL expressions of whole numbers of at most 38 digits; what has
decimals is rounded first, so scale it up before (thousandths of a quantity).
Example. {{ integer_division('series_days', 7) }} whole weeks.
#}
{% macro integer_division(numerator, denominator) -%}
    {%- do require_arguments('integer_division', {
        'numerator': numerator, 'denominator': denominator
    }) -%}
    {{ return(adapter.dispatch('integer_division')(numerator, denominator)) }}
{%- endmacro %}

{% macro default__integer_division(numerator, denominator) -%}
    cast(
        div(
            cast({{ numerator }} as numeric(38, 0)),
            nullif(cast({{ denominator }} as numeric(38, 0)), 0)
        ) as numeric(38, 0)
    )
{%- endmacro %}

{% macro duckdb__integer_division(numerator, denominator) -%}
    cast(
        cast(cast({{ numerator }} as numeric(38, 0)) as hugeint)
        // nullif(cast(cast({{ denominator }} as numeric(38, 0)) as hugeint), 0)
        as numeric(38, 0)
    )
{%- endmacro %}

{% macro spark__integer_division(numerator, denominator) -%}
    {#- `div` gives a bigint. What is left over is taken off first, so that `/` has none to round. -#}
    {%- set over = 'cast(' ~ numerator ~ ' as decimal(38, 0))' -%}
    {%- set under = 'nullif(cast(' ~ denominator ~ ' as decimal(38, 0)), 0)' -%}
    cast(({{ over }} - {{ over }} % {{ under }}) / {{ under }} as decimal(38, 0))
{%- endmacro %}
