{#
What. The technical columns of a staging view of plain rows, as a change log would have them: every
row is an upsert, and its position is the moment at which it was taken from the source.
Why. A source without a log corrects a row by delivering it again; what was extracted last is what
it says now, whenever that arrived here. Satellites and histories then need to know no other kind.
Args. record_source: the name of the source.
Example. {{ extraction_columns('weather') }}
#}
{% macro extraction_columns(record_source) -%}
    '0000001' || right(
        '0000000000000000000'
        || cast({{ epoch_microseconds('_airbyte_extracted_at') }} as {{ dbt.type_string() }}),
        19
    ) as seq,
    'upsert' as op,
    cast(null as {{ dbt.type_string() }}) as unchanged_columns,
    _airbyte_extracted_at as committed_at,
    cast(null as bigint) as commit_lsn,
    _airbyte_extracted_at as extracted_at,
    _loaded_at as load_ts,
    '{{ record_source }}' as record_source,
    cast(_batch_id as bigint) as _batch_id
{%- endmacro %}
