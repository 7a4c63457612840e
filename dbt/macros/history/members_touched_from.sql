{#
What. A query of the members whose versions may differ from what was last built, and the local date
from which on they may: `touched_from`.
Why. A new version leaves the days before it alone; a fact of many days a member need not compute
them again. Where that is not sure, the date is the first of all: when a boundary or a snapshot row
arrived; when the member came in by another key's change, or has values that were not sent; when no
version but the first, which reaches back to the beginning, is older than what arrived.
Args. hub, satellite, history, dimension: relations; hash_key, business_key: columns; bronze_table:
`<source>/<entity>`.
Example. with items as ({{ members_touched_from(
    ref('hub_item'), ref('sat_item__erp'), ref('int_items_changed'), ref('dim_items'),
    'item_hk', 'item_id', 'erp/items'
) }})
#}
{% macro members_touched_from(
    hub, satellite, history, dimension, hash_key, business_key, bronze_table
) -%}
{%- do require_arguments('members_touched_from', {
    'hub': hub, 'satellite': satellite, 'history': history, 'dimension': dimension,
    'hash_key': hash_key, 'business_key': business_key, 'bronze_table': bronze_table
}) -%}
{%- set boundaries = run_context('_cdc/boundaries') -%}
    select
        members.{{ business_key }},
        case
            when {{ boundaries.to_batch }} = {{ boundaries.from_batch }}
                and changes.is_all_sent = 1
                and versions.second_from < changes.changed_at
                and (
                    select count(*)
                    from {{ satellite }}
                    where op = 'snapshot'
                        and {{ arrived(bronze_table) }}
                ) = 0
                then {{ local_date('changes.changed_at') }}
            else {{ local_date(beginning_of_time()) }}
        end as touched_from
    from {{ hub }} as members
    left join (
        select
            said.{{ hash_key }},
            -- From there on by the source's order: what came late may have moved what follows it.
            min(case when said.seq >= first_new.seq then said.committed_at end) as changed_at,
            min(case when said.unchanged_columns is null then 1 else 0 end) as is_all_sent
        from {{ satellite }} as said
        inner join (
            select
                {{ hash_key }},
                min(seq) as seq
            from {{ satellite }}
            where {{ arrived(bronze_table) }}
            group by {{ hash_key }}
        ) as first_new
            on said.{{ hash_key }} = first_new.{{ hash_key }}
        group by said.{{ hash_key }}
    ) as changes
        on members.{{ hash_key }} = changes.{{ hash_key }}
    left join (
        select
            {{ business_key }},
            min(valid_from) as second_from
        from {{ dimension }}
        where valid_from > {{ beginning_of_time() }}
        group by {{ business_key }}
    ) as versions
        on members.{{ business_key }} = versions.{{ business_key }}
    where members.{{ hash_key }} in (
        select changed.{{ hash_key }}
        from {{ history }} as changed
        where {{ recomputed(bronze_table) }}
    )
{%- endmacro %}
