{#
What. A link: each combination of hub keys that was ever seen, once.
Why. It says what may be related; what is related now is a satellite's to say.
Args. hash_key: the link's own key; foreign_keys: list of hub keys; sources: list of mappings with
`relation` and `where` (which rows are new), each with all these columns, load_ts and
record_source. Rows that lack one of the keys are no relation.
Example. {{ link('item_tower_hk', ['item_hk', 'tower_hk'], [
    {'relation': ref('stg_erp__inventory'), 'where': 'true'}
]) }}
#}
{% macro link(hash_key, foreign_keys, sources) -%}
{%- do require_arguments('link', {
    'hash_key': hash_key, 'foreign_keys': foreign_keys, 'sources': sources
}) -%}
with delivered as (
    {%- for source in sources %}
    select {{ hash_key }}, {{ foreign_keys | join(', ') }}, load_ts, record_source
    from {{ source.relation }}
    where {{ foreign_keys | join(' is not null and ') }} is not null
        and {{ source.where }}
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

first_seen as (
    select
        {{ hash_key }},
        {{ foreign_keys | join(', ') }},
        min(load_ts) as load_ts,
        min(record_source) as record_source
    from delivered
    group by {{ hash_key }}, {{ foreign_keys | join(', ') }}
)

select first_seen.*
from first_seen
{%- if is_incremental() %}
where not exists (
    select 1 from {{ this }} as present where present.{{ hash_key }} = first_seen.{{ hash_key }}
)
{%- endif %}
{%- endmacro %}
