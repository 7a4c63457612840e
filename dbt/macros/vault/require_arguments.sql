{#
What. Stops the compilation when a macro was called without one of its arguments.
Why. Jinja would put nothing in its place and leave a riddle to the engine.
Args. macro: its name, for the message; arguments: mapping of name to what was given.
Example. {% do require_arguments('hub', {'hash_key': hash_key}) %}
#}
{% macro require_arguments(macro, arguments) -%}
    {%- for name, value in arguments.items() if not value -%}
        {{ exceptions.raise_compiler_error(macro ~ ": argument " ~ name ~ " is missing or empty") }}
    {%- endfor -%}
{%- endmacro %}
