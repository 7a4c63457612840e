{#
What. A non-historised link: each event once, with the hub keys it refers to and what it says.
Why. An event that its source never corrects, such as a forecast, needs no satellite: it is what it
was when it came. Repeated deliveries add nothing; of two different ones with one key the first
extracted stays, else the smaller hash, whichever came first: so the model's strategy has to be
delete+insert by this key, and a row is written again only for one that was extracted before it.
Args. hash_key: the event's own key; foreign_keys: list of hub keys, which may be null; payload:
list of columns; source: mapping with `relation` and `where` (which rows are new). The relation also
has hashdiff, extracted_at, load_ts, record_source and _batch_id.
Example. {{ non_historised_link('forecast_hk', ['item_hk'], ['forecast_date', 'quantity'], {
    'relation': ref('stg_ml_results__forecasts'), 'where': 'true'
}) }}
#}
{% macro non_historised_link(hash_key, foreign_keys, payload, source) -%}
{%- do require_arguments('non_historised_link', {
    'hash_key': hash_key, 'foreign_keys': foreign_keys, 'payload': payload, 'source': source
}) -%}
{%- set columns = [hash_key] + foreign_keys + payload
    + ['hashdiff', 'extracted_at', 'load_ts', 'record_source', '_batch_id'] -%}
with delivered as (
    select
        {{ columns | join(',\n        ') }},
        row_number() over (
            partition by {{ hash_key }} order by extracted_at, hashdiff, _batch_id
        ) as delivery
    from {{ source.relation }}
    where {{ hash_key }} is not null
        and {{ source.where }}
)

select
    {{ columns | join(',\n    ') }}
from delivered
where delivery = 1
{%- if is_incremental() %}
    and not exists (
        select 1
        from {{ this }} as present
        where present.{{ hash_key }} = delivered.{{ hash_key }}
            and (
                present.extracted_at < delivered.extracted_at
                or (
                    present.extracted_at = delivered.extracted_at
                    and present.hashdiff <= delivered.hashdiff
                )
            )
    )
{%- endif %}
{%- endmacro %}
