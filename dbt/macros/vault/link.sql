{#
What. A link: each combination of hub keys that was ever seen, once.
Why. It says what may be related; what is related now is a satellite's to say.
Args. hash_key: the link's own key; foreign_keys: list of hub keys; optional_keys: those of them
that may be missing, which then refer to the ghost, 32 zeros; sources: list of mappings with
`relation`, `where` (which rows are new) and, where they are named otherwise there, `columns`: a
mapping of a key to its name in the relation. Each relation has load_ts and record_source. Rows
that lack one of the other keys are no relation.
Example. {{ link('item_tower_hk', ['item_hk', 'tower_hk'], [
    {'relation': ref('stg_erp__inventory'), 'where': 'true'}
]) }}
#}
{% macro link(hash_key, foreign_keys, sources, optional_keys=[]) -%}
{%- do require_arguments('link', {
    'hash_key': hash_key, 'foreign_keys': foreign_keys, 'sources': sources
}) -%}
{%- for key in optional_keys if key not in foreign_keys -%}
    {{ exceptions.raise_compiler_error("link: optional key " ~ key ~ " is no foreign key") }}
{%- endfor -%}
with delivered as (
    {%- for source in sources %}
    {%- set columns = source.get('columns', {}) %}
    {%- set needed = [columns.get(hash_key, hash_key)] %}
    select
        {{ columns.get(hash_key, hash_key) }} as {{ hash_key }},
        {%- for key in foreign_keys %}
        {%- set column = columns.get(key, key) %}
        {%- if key in optional_keys %}
        coalesce({{ column }}, {{ special_key('null') }}) as {{ key }},
        {%- else %}
        {%- do needed.append(column) %}
        {{ column }} as {{ key }},
        {%- endif %}
        {%- endfor %}
        load_ts,
        record_source
    from {{ source.relation }}
    where {{ needed | join(' is not null and ') }} is not null
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
