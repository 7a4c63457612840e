{#
What. The condition that a history's row was computed again in this build's range.
Why. What depends on a history must follow a touched key, also when no row but a boundary, such as
a TRUNCATE, has touched it; asking the history is cheaper than finding the touched keys again.
Args. bronze_table: `<source>/<entity>` that the history is made from.
Example. select item_hk from {{ ref('int_items_changed') }} where {{ recomputed('erp/items') }}
#}
{% macro recomputed(bronze_table) -%}
    (
        _batch_id > {{ run_context(bronze_table).from_batch }}
        or _boundary_batch_id > {{ run_context('_cdc/boundaries').from_batch }}
    )
{%- endmacro %}
