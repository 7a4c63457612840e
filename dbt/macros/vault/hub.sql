{#
What. A hub: each business key once, from every place that delivers it.
Why. A key that is only referred to, its own row not delivered yet, is known all the same.
Args. hash_key, business_key: column names in the hub; sources: list of mappings with `relation`,
`where` (which rows are new), and `hash_key`, `business_key` where they are named otherwise there.
Every source has load_ts and record_source. Rows without a business key are no entity.
Example. {{ hub('item_hk', 'item_id', [{'relation': ref('stg_erp__items'), 'where': 'true'}]) }}
#}
{% macro hub(hash_key, business_key, sources) -%}
{%- do require_arguments('hub', {
    'hash_key': hash_key, 'business_key': business_key, 'sources': sources
}) -%}
with delivered as (
    {%- for source in sources %}
    select
        {{ source.get('hash_key', hash_key) }} as {{ hash_key }},
        {{ source.get('business_key', business_key) }} as {{ business_key }},
        load_ts,
        record_source
    from {{ source.relation }}
    where {{ source.get('business_key', business_key) }} is not null
        and {{ source.where }}
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

first_seen as (
    select
        {{ hash_key }},
        {{ business_key }},
        min(load_ts) as load_ts,
        min(record_source) as record_source
    from delivered
    group by {{ hash_key }}, {{ business_key }}
)

select first_seen.*
from first_seen
{%- if is_incremental() %}
where not exists (
    select 1 from {{ this }} as present where present.{{ hash_key }} = first_seen.{{ hash_key }}
)
{%- endif %}
{%- endmacro %}
