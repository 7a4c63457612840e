{#
What. The schema of a model is exactly the one its folder names.
Why. dbt would prefix it with the target's schema, and people ask for `marts`, not `main_marts`.
Args. custom_schema_name: from `+schema`; node: the node it is for.
Example. `+schema: marts` gives `marts`.
#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}
