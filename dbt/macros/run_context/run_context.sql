{#
What. The row of `ops.run_context` for a bronze table: from_batch, to_batch, as_of_date.
Why. A build works on a range of batches that was frozen before it began. The numbers are put into
the SQL as literals, so that the engine skips the files outside the range, and `--vars` is not
used, because it makes dbt parse everything anew.
Args. bronze_table: `<source>/<entity>`.
Example. {% set context = run_context('erp/items') %}
#}
{% macro run_context(bronze_table) -%}
    {%- if not execute -%}
        {{ return({'from_batch': 0, 'to_batch': 0, 'as_of_date': none}) }}
    {%- endif -%}
    {%- set relation = adapter.get_relation(target.database, 'ops', 'run_context') -%}
    {%- set rows = [] -%}
    {%- if relation is not none -%}
        {%- set query -%}
            select from_batch, to_batch, as_of_date from {{ relation }}
            where bronze_table = '{{ bronze_table }}'
        {%- endset -%}
        {%- set rows = run_query(query).rows -%}
    {%- endif -%}
    {%- if rows | length == 0 -%}
        {{ exceptions.raise_compiler_error(
            "run_context: no range of batches is frozen for bronze table '" ~ bronze_table
            ~ "'; run `lakehouse transform`, which freezes one"
        ) }}
    {%- endif -%}
    {{ return({
        'from_batch': rows[0][0], 'to_batch': rows[0][1], 'as_of_date': rows[0][2]
    }) }}
{%- endmacro %}
