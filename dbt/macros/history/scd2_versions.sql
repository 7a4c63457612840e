{#
What. The versions of each key with the time in which each was valid: valid_from inclusive,
valid_to exclusive and null while it is open.
Why. Rows of one instant keep the last, then equal neighbours merge; a deletion closes, a return
opens; a key's first version opens at the beginning of time, so that no event is too early.
`_commit_lsn_from`, `_commit_lsn_to` say the same by the source's own position.
Args. history: a relation made by change_history; hash_key: the key; payload: list of columns.
Example. with versions as ({{ scd2_versions(ref('int_items_changed'), 'item_hk', ['unit']) }})
#}
{% macro scd2_versions(history, hash_key, payload) -%}
{%- do require_arguments('scd2_versions', {
    'history': history, 'hash_key': hash_key, 'payload': payload
}) -%}
    select
        {{ hash_key }},
        {{ payload | join(',\n        ') }},
        case
            when row_number() over (partition by {{ hash_key }} order by effective_at) = 1
                then {{ beginning_of_time() }}
            else effective_at
        end as valid_from,
        valid_to,
        valid_to is null as is_current,
        ends_by_deletion as is_deleted,
        commit_lsn as _commit_lsn_from,
        commit_lsn_to as _commit_lsn_to
    from (
        select
            *,
            lead(effective_at) over (partition by {{ hash_key }} order by effective_at) as valid_to,
            lead(commit_lsn) over (
                partition by {{ hash_key }} order by effective_at
            ) as commit_lsn_to,
            coalesce(
                lead(is_deleted) over (partition by {{ hash_key }} order by effective_at), false
            ) as ends_by_deletion
        from (
            select
                *,
                {{ differs_from_previous(
                    ['is_deleted'] + payload, hash_key, 'effective_at'
                ) | indent(12) }} as is_change
            from (
                select
                    *,
                    row_number() over (
                        partition by {{ hash_key }}, effective_at order by seq desc
                    ) as rank_in_instant
                from {{ history }}
            ) as ranked
            where rank_in_instant = 1
        ) as instants
        where is_change
    ) as states
    where not is_deleted
{%- endmacro %}
