{#
What. A satellite: every delivered change of an entity, once, in the words of its source.
Why. Nothing is compared with its neighbours at load, so late, repeated and shuffled deliveries
give the same rows; equal neighbours collapse later, in the histories.
A change delivered again is stored again only when it was extracted earlier than the copy here:
which of two different rows at one position wins is decided by that, whichever came first.
Args. hash_key: the parent's key; payload: list of columns; derived: mapping of those of them that
the relation does not have to their SQL; source: mapping with `relation` and `where` (which rows are
new). The relation also has seq, op, unchanged_columns, hashdiff,
committed_at, commit_lsn, extracted_at, load_ts, record_source and _batch_id.
Example. {{ satellite('item_hk', ['item_name'], {
    'relation': ref('stg_erp__items'), 'where': 'true'
}) }}
#}
{% macro satellite(hash_key, payload, source, derived={}) -%}
{%- do require_arguments('satellite', {
    'hash_key': hash_key, 'payload': payload, 'source': source
}) -%}
with delivered as (
    select
        {{ hash_key }},
        seq,
        op,
        unchanged_columns,
        hashdiff,
        {%- for column in payload %}
        {{ derived[column] ~ ' as ' if column in derived }}{{ column }},
        {%- endfor %}
        committed_at,
        commit_lsn,
        extracted_at,
        load_ts,
        record_source,
        _batch_id,
        row_number() over (
            partition by {{ hash_key }}, seq, record_source, op, hashdiff
            order by extracted_at, _batch_id
        ) as delivery
    from {{ source.relation }}
    where {{ hash_key }} is not null
        and {{ source.where }}
)
{%- if is_incremental() %},

-- Filtered first: inside `exists` engines would compare each delivered row with each one here.
present as (
    select
        {{ hash_key }},
        seq,
        record_source,
        op,
        hashdiff,
        extracted_at
    from {{ this }}
    where seq >= (select min(seq) from delivered)
)
{%- endif %}

select
    {{ hash_key }},
    seq,
    op,
    unchanged_columns,
    hashdiff,
    {{ payload | join(',\n    ') }},
    committed_at,
    commit_lsn,
    extracted_at,
    load_ts,
    record_source,
    _batch_id
from delivered
where delivery = 1
{%- if is_incremental() %}
    and not exists (
        select 1
        from present
        where present.{{ hash_key }} = delivered.{{ hash_key }}
            and present.seq = delivered.seq
            and present.record_source = delivered.record_source
            and present.op = delivered.op
            and present.hashdiff = delivered.hashdiff
            and present.extracted_at <= delivered.extracted_at
    )
{%- endif %}
{%- endmacro %}
