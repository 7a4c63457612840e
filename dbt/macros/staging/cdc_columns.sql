{#
What. The technical columns of a staging view, by the names that vault macros expect.
Why. Every entity of a change stream has the same ones, and a satellite needs all of them.
Args. record_source: the name of the source.
Example. {{ cdc_columns('erp') }}
#}
{% macro cdc_columns(record_source) -%}
    cast(_cdc_seq as {{ dbt.type_string() }}) as seq,
    cast(_cdc_op as {{ dbt.type_string() }}) as op,
    cast(_cdc_unchanged as {{ dbt.type_string() }}) as unchanged_columns,
    _cdc_committed_at as committed_at,
    cast(_cdc_commit_lsn as bigint) as commit_lsn,
    _airbyte_extracted_at as extracted_at,
    _loaded_at as load_ts,
    '{{ record_source }}' as record_source,
    cast(_batch_id as bigint) as _batch_id
{%- endmacro %}
