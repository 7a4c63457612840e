{#
What. The schema of a model is the one its folder names, as this engine has it (layer_schema).
Why. dbt would prefix it with the target's schema, and people ask for `marts`, not `main_marts`.
Args. custom_schema_name: from `+schema`; node: the node it is for.
Example. `+schema: marts` gives `marts`.
#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ layer_schema(custom_schema_name) if custom_schema_name else target.schema }}
{%- endmacro %}
