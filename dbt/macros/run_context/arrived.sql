{#
What. The condition that a row belongs to the range of batches this build works on; in a full
refresh, to everything up to its end.
Why. A watermark taken from the target would lose rows when a build dies between two inputs.
Args. bronze_table: `<source>/<entity>`.
Example. where {{ arrived('erp/items') }}
#}
{% macro arrived(bronze_table) -%}
    {%- set context = run_context(bronze_table) -%}
    _batch_id > {{ context.from_batch if is_incremental() else 0 }}
    and _batch_id <= {{ context.to_batch }}
{%- endmacro %}
