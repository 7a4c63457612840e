{#
What. dbt's own `create_table_as` for PostgreSQL, with one difference: the temporary table of an
incremental model has the types of the model's contract, too.
Why. PostgreSQL forgets the scale of a decimal that went through a function or a window. dbt then
finds that the new rows' types differ from the table's, and refuses them.
Args. As dbt's: temporary, relation, sql.
Example. dbt calls it.
#}
{% macro postgres__create_table_as(temporary, relation, sql) -%}
    {%- if not (temporary and config.get('contract').enforced) -%}
        {{ return(dbt.postgres__create_table_as(temporary, relation, sql)) }}
    {%- endif -%}
    {{ get_assert_columns_equivalent(sql) }}
    create temporary table {{ relation }} {{ get_table_columns_and_constraints() }};
    insert into {{ relation }} ({{ adapter.dispatch('get_column_names', 'dbt')() }})
    (
        {{ get_select_subquery(sql) }}
    );
{%- endmacro %}
