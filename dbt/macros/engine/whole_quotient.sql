{#
What. How many times a whole number goes into another, as a double; null when divided by 0.
Why. Sums of squares are too big to become doubles: beyond 2^53 each engine casts them differently.
Their quotient is not, and nothing real comes near the limit that is put on it.
Args. numerator, denominator: SQL expressions of whole numbers, as integer_division takes them; scale
the numerator up for the decimals that are to be kept, and divide the result by as much.
Example. {{ whole_quotient('squares * 1000', '2 * total') }} / {{ double(1000000) }}
#}
{% macro whole_quotient(numerator, denominator) -%}
    {%- set quotient = integer_division(numerator, denominator) -%}
    {#- `least` would leave a null out, and give the limit. -#}
    {{ double(
        'case when ' ~ quotient ~ ' > 9007199254740992 then 9007199254740992 else ' ~ quotient ~ ' end'
    ) }}
{%- endmacro %}
