{#
What. The schema in which this engine builds the models of a layer.
Why. On PostgreSQL the schema `marts` is what is served, and only a publish may touch it.
Args. layer: the schema that the folder names.
Example. {{ layer_schema('marts') }}
#}
{% macro layer_schema(layer) -%}
    {{ return(adapter.dispatch('layer_schema')(layer)) }}
{%- endmacro %}

{% macro default__layer_schema(layer) -%}
    {{ layer }}
{%- endmacro %}

{% macro postgres__layer_schema(layer) -%}
    dbt_{{ layer }}
{%- endmacro %}

{% macro spark__layer_schema(layer) -%}
    {{ layer }}
{%- endmacro %}
