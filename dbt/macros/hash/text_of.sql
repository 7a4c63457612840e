{#
What. A value as text that is the same on every engine.
Why. Two engines print the same decimal, boolean or timestamp differently, and hashes would differ.
Args. column: an SQL expression; type: text, integer, numeric(p,s), boolean, timestamp or date.
Doubles are refused: no two engines agree on their last digit.
Example. {{ text_of('unit_cost_brl', 'numeric(12,2)') }}
#}
{% macro text_of(column, type) -%}
    {%- if type == 'text' -%}
        {{ column }}
    {%- elif type == 'integer' or type == 'date' -%}
        cast({{ column }} as {{ dbt.type_string() }})
    {%- elif type.startswith('numeric(') -%}
        cast(cast({{ column }} as {{ type }}) as {{ dbt.type_string() }})
    {%- elif type == 'boolean' -%}
        case when {{ column }} then 'true' when not {{ column }} then 'false' end
    {%- elif type == 'timestamp' -%}
        cast({{ epoch_microseconds(column) }} as {{ dbt.type_string() }})
    {%- else -%}
        {{ exceptions.raise_compiler_error(
            "text_of: " ~ column ~ " has type '" ~ type ~ "'; known are text, integer, "
            ~ "numeric(p,s), boolean, timestamp, date"
        ) }}
    {%- endif -%}
{%- endmacro %}
