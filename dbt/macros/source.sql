{#
What. The relation of a bronze table; dbt's own `source` is replaced by this one.
Why. Each engine finds bronze elsewhere (source_relation), and models should not know.
Args. source_name, table_name: as in dbt.
Example. select * from {{ source('erp', 'items') }}
#}
{% macro source(source_name, table_name) -%}
    {{ return(source_relation(builtins.source(source_name, table_name))) }}
{%- endmacro %}
