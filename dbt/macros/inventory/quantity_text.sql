{#
What. A quantity as people write it, with at most so many decimals and no zeros at its end.
Why. `12.000` in a sentence reads like twelve thousand to a Brazilian buyer.
Args. quantity: an SQL expression of a decimal; decimals: at most so many, rounded half up.
Example. 'Order ' || {{ quantity_text('recommended_quantity') }}
#}
{% macro quantity_text(quantity, decimals=3) -%}
    {%- do require_arguments('quantity_text', {'quantity': quantity, 'decimals': decimals}) -%}
    {%- set unit = '0.' ~ '0' * (decimals - 1) ~ '1' -%}
    trim(
        trailing '.' from trim(
            trailing '0' from cast(
                cast(
                    cast(floor({{ quantity }} * {{ 10 ** decimals }} + 0.5) as numeric(18, 0))
                    * cast({{ unit }} as numeric({{ decimals }}, {{ decimals }}))
                    as numeric(18, {{ decimals }})
                ) as {{ dbt.type_string() }}
            )
        )
    )
{%- endmacro %}
