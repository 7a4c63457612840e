{#
What. The states of each key in the source's order: what the change log really says.
 1. Two rows at one position: a delete wins, else the one extracted first, else the smaller hash.
 2. A boundary that counts deletes every key known before it that has no row at its position: a
    TRUNCATE always, a snapshot once as many distinct keys came with it as it says.
 3. A column that the source did not send, because it was unchanged, gets its last known value. A row
    whose key was changed is a delete and an upsert at one position: it inherits the old key's.
 4. Neighbours that are equal collapse: redeliveries, updates that changed nothing we keep.
`effective_at` is the greatest committed_at up to the row, so that time never runs backwards.
`_batch_id`, `_boundary_batch_id` say up to which batches the key was computed (see recomputed).
Why. Only touched keys are computed again when incremental, so a day costs what it brought. A
boundary that arrives, or begins to count, touches every key before it; a changed key, the other.
Args. hash_key: the key; satellite, boundaries: relations; entity: mapping with `source`, `entity`;
payload: list of columns to keep; repairable: those of them that may come unsent.
Example. {{ change_history('item_hk', ref('sat_item__erp'), ref('stg_cdc__boundaries'),
    {'source': 'erp', 'entity': 'items'}, ['item_name', 'description'], ['description']) }}
#}
{% macro change_history(hash_key, satellite, boundaries, entity, payload, repairable=[]) -%}
{%- do require_arguments('change_history', {
    'hash_key': hash_key, 'satellite': satellite, 'boundaries': boundaries, 'entity': entity,
    'payload': payload
}) -%}
{%- for column in repairable if column not in payload -%}
    {{ exceptions.raise_compiler_error(
        "change_history: repairable column " ~ column ~ " is not in the payload"
    ) }}
{%- endfor -%}
{%- set bronze_table = entity.source ~ '/' ~ entity.entity -%}
with recursive boundaries as (
    select
        seq,
        kind,
        committed_at,
        commit_lsn,
        row_count,
        max(case when {{ arrived('_cdc/boundaries') }} then 1 else 0 end) as arrived_now
    from {{ boundaries }}
    where source_name = '{{ entity.source }}'
        and entity_name = '{{ entity.entity }}'
        and _batch_id <= {{ run_context('_cdc/boundaries').to_batch }}
    group by seq, kind, committed_at, commit_lsn, row_count
),

snapshot_rows as (
    select
        seq,
        count(distinct {{ hash_key }}) as row_count,
        max(case when {{ arrived(bronze_table) }} then 1 else 0 end) as arrived_now
    from {{ satellite }}
    where seq in (select seq from boundaries)
    group by seq
),

counting_boundaries as (
    select
        boundaries.seq,
        boundaries.committed_at,
        boundaries.commit_lsn,
        greatest(boundaries.arrived_now, coalesce(snapshot_rows.arrived_now, 0)) as arrived_now
    from boundaries
    left join snapshot_rows on boundaries.seq = snapshot_rows.seq
    where boundaries.kind = 'truncate'
        or boundaries.row_count = coalesce(snapshot_rows.row_count, 0)
),
{% if is_incremental() %}
arrived_keys as (
    select {{ hash_key }}
    from {{ satellite }}
    where {{ arrived(bronze_table) }}
    union
    select {{ hash_key }}
    from {{ satellite }}
    where seq < (select max(seq) from counting_boundaries where arrived_now = 1)
),
{% if repairable %}
changed_keys as (
    select
        heir.{{ hash_key }} as new_hk,
        former.{{ hash_key }} as old_hk
    from {{ satellite }} as heir
    inner join {{ satellite }} as former
        on heir.seq = former.seq
        and former.op = 'delete'
        and heir.{{ hash_key }} <> former.{{ hash_key }}
    where heir.unchanged_columns is not null
),

touched as (
    select {{ hash_key }} from arrived_keys
    union
    select case
        when touched.{{ hash_key }} = changed_keys.new_hk then changed_keys.old_hk
        else changed_keys.new_hk
    end as {{ hash_key }}
    from touched
    inner join changed_keys
        on touched.{{ hash_key }} = changed_keys.new_hk
        or touched.{{ hash_key }} = changed_keys.old_hk
),
{% else %}
touched as (
    select {{ hash_key }} from arrived_keys
),
{% endif %}
{%- endif %}
delivered as (
    select
        *,
        row_number() over (
            partition by {{ hash_key }}, seq
            order by case when op = 'delete' then 0 else 1 end, extracted_at, hashdiff
        ) as rank_at_position
    from {{ satellite }}
    {%- if is_incremental() %}
    where {{ hash_key }} in (select {{ hash_key }} from touched)
    {%- endif %}
),

known_keys as (
    select {{ hash_key }}, min(seq) as first_seq
    from delivered
    group by {{ hash_key }}
),

changes as (
    select
        {{ hash_key }},
        seq,
        op = 'delete' as is_deleted,
        unchanged_columns,
        {%- for column in payload %}
        case when op <> 'delete' then {{ column }} end as {{ column }},
        {%- endfor %}
        committed_at,
        commit_lsn
    from delivered
    where rank_at_position = 1
    union all
    select
        known_keys.{{ hash_key }},
        counting_boundaries.seq,
        true as is_deleted,
        null as unchanged_columns,
        {%- for column in payload %}
        null as {{ column }},
        {%- endfor %}
        counting_boundaries.committed_at,
        counting_boundaries.commit_lsn
    from known_keys
    inner join counting_boundaries on known_keys.first_seq < counting_boundaries.seq
    where not exists (
        select 1
        from delivered
        where delivered.{{ hash_key }} = known_keys.{{ hash_key }}
            and delivered.seq = counting_boundaries.seq
    )
),

{% if repairable %}
damaged as (
    -- The few keys of which something came unsent, and those that they inherit from.
    select {{ hash_key }}
    from changes
    where unchanged_columns is not null
    union
    select former.{{ hash_key }}
    from changes as heir
    inner join changes as former
        on heir.seq = former.seq
        and former.is_deleted
        and heir.{{ hash_key }} <> former.{{ hash_key }}
    where heir.unchanged_columns is not null
),

lives as (
    -- A key lives from its arrival to its deletion, and may live again.
    select
        *,
        sum(case when not is_deleted and was_deleted then 1 else 0 end) over (
            partition by {{ hash_key }} order by seq
        ) as life
    from (
        select
            *,
            coalesce(
                lag(is_deleted) over (partition by {{ hash_key }} order by seq), true
            ) as was_deleted
        from changes
        where {{ hash_key }} in (select {{ hash_key }} from damaged)
    ) as with_previous
),

inherited as (
    select
        heir.{{ hash_key }},
        heir.life,
        former.{{ hash_key }} as old_hk,
        former.life as old_life
    from lives as heir
    inner join lives as former
        on heir.seq = former.seq
        and former.is_deleted
        and heir.{{ hash_key }} <> former.{{ hash_key }}
    where heir.was_deleted
        and heir.unchanged_columns is not null
),

ancestors as (
    select {{ hash_key }}, life, old_hk, old_life, 1 as generations
    from inherited
    union all
    select
        ancestors.{{ hash_key }},
        ancestors.life,
        inherited.old_hk,
        inherited.old_life,
        ancestors.generations + 1 as generations
    from ancestors
    inner join inherited
        on ancestors.old_hk = inherited.{{ hash_key }}
        and ancestors.old_life = inherited.life
),

first_ancestors as (
    select *
    from (
        select
            *,
            row_number() over (
                partition by {{ hash_key }}, life order by generations desc, old_hk
            ) as rank_of_age
        from ancestors
    ) as ranked
    where rank_of_age = 1
),

lines as (
    select
        lives.*,
        coalesce(first_ancestors.old_hk, lives.{{ hash_key }}) as line_hk,
        coalesce(first_ancestors.old_life, lives.life) as line_life
    from lives
    left join first_ancestors
        on lives.{{ hash_key }} = first_ancestors.{{ hash_key }}
        and lives.life = first_ancestors.life
),

grouped as (
    -- In one line, an heir and the deletion of its old key share a position: the heir comes first.
    select
        *
        {%- for column in repairable %},
        count(
            case
                when not is_deleted
                    and (
                        unchanged_columns is null
                        or position('|{{ column }}|' in unchanged_columns) = 0
                    )
                    then 1
            end
        ) over (partition by line_hk, line_life order by seq, is_deleted) as {{ column }}_sent
        {%- endfor %}
    from lines
),

repaired as (
    select
        {{ hash_key }},
        seq,
        is_deleted,
        {%- for column in payload %}
        {{ column }},
        {%- endfor %}
        committed_at,
        commit_lsn
    from changes
    where not exists (
        select 1
        from damaged
        where damaged.{{ hash_key }} = changes.{{ hash_key }}
    )
    union all
    select
        {{ hash_key }},
        seq,
        is_deleted,
        {%- for column in payload %}
        {%- if column in repairable %}
        case
            when not is_deleted
                then first_value({{ column }}) over (
                    partition by line_hk, line_life, {{ column }}_sent order by seq, is_deleted
                )
        end as {{ column }},
        {%- else %}
        {{ column }},
        {%- endif %}
        {%- endfor %}
        committed_at,
        commit_lsn
    from grouped
),
{% endif %}
compared as (
    select
        *,
        max(committed_at) over (partition by {{ hash_key }} order by seq) as effective_at,
        {{ differs_from_previous(['is_deleted'] + payload, hash_key) }} as is_change
    from {{ 'repaired' if repairable else 'changes' }}
)

select
    {{ hash_key }},
    seq,
    is_deleted,
    {{ payload | join(',\n    ') }},
    committed_at,
    effective_at,
    commit_lsn,
    lead(seq) over (partition by {{ hash_key }} order by seq) is null as is_latest,
    cast({{ run_context(bronze_table).to_batch }} as bigint) as _batch_id,
    cast({{ run_context('_cdc/boundaries').to_batch }} as bigint) as _boundary_batch_id
from compared
where is_change
{%- endmacro %}
