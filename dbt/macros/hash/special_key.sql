{#
What. The key of a member that stands for no member: `null` (no reference given) or
`not_applicable` (there can be none, such as a service without a depot).
Why. Every fact points at a row of the dimension, so no join loses a fact.
Args. which: null or not_applicable.
Example. {{ special_key('null') }}
#}
{% macro special_key(which) -%}
    {%- set digits = {'null': '0', 'not_applicable': 'f'} -%}
    {%- if which not in digits -%}
        {{ exceptions.raise_compiler_error(
            "special_key: '" ~ which ~ "' is neither null nor not_applicable"
        ) }}
    {%- endif -%}
    '{{ digits[which] * 32 }}'
{%- endmacro %}
