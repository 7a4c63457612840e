{#
What. Where this engine finds a bronze table.
Why. DuckDB reads Delta in place (`external_location`); PostgreSQL reads the copy that the transform
makes in schema `bronze`; Spark reads Delta by its path.
Args. relation: what dbt's own `source` says, the bronze source as schema, the entity as identifier.
Example. {{ source_relation(builtins.source('erp', 'items')) }}
#}
{% macro source_relation(relation) -%}
    {{ return(adapter.dispatch('source_relation')(relation)) }}
{%- endmacro %}

{% macro default__source_relation(relation) -%}
    {{ return(relation) }}
{%- endmacro %}

{% macro postgres__source_relation(relation) -%}
    {%- if relation.is_cte or relation.schema == 'ops' -%}
        {#- A unit test's own rows; a table that the transform itself fills. -#}
        {{ return(relation) }}
    {%- endif -%}
    {{ return(api.Relation.create(
        database=target.database,
        schema='bronze',
        identifier=relation.schema ~ '__' ~ relation.identifier
    )) }}
{%- endmacro %}

{% macro spark__source_relation(relation) -%}
    {%- set path = env_var('LAKE_URI') ~ '/bronze/' ~ relation.schema ~ '/' ~ relation.identifier -%}
    delta.`{{ path }}`
{%- endmacro %}
