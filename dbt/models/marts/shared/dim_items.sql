-- Grain: one row per item and period in which its attributes did not change.
{%- set attributes = [
    'item_name',
    'family',
    'unit',
    'criticality',
    'is_service',
    'description',
    'unit_cost_brl',
] %}
{%- set opening = 'coalesce(versions.valid_from, ' ~ beginning_of_time() ~ ')' %}
with hub as (
    select * from {{ ref('hub_item') }}
),

versions as (
{{ scd2_versions(ref('int_items_changed'), 'item_hk', attributes) }}
),

members as (
    select
        {{ surrogate_key('hub.item_id', opening) }} as item_key,
        hub.item_id,
        versions.item_name,
        versions.family,
        versions.unit,
        versions.criticality,
        versions.is_service,
        versions.description,
        versions.unit_cost_brl,
        {{ opening }} as valid_from,
        versions.valid_to,
        coalesce(versions.is_current, true) as is_current,
        coalesce(versions.is_deleted, false) as is_deleted,
        versions.item_hk is null as is_inferred,
        versions._commit_lsn_from,
        versions._commit_lsn_to
    from hub
    left join versions on hub.item_hk = versions.item_hk
),

special as (
{{ special_members('item_key', 'item_name', 'item', {
    'item_id': 'text',
    'family': 'text',
    'unit': 'text',
    'criticality': 'text',
    'is_service': 'boolean',
    'description': 'text',
    'unit_cost_brl': 'numeric(12, 2)',
}) }}
),

final as (
    select * from members
    union all
    select
        item_key,
        item_id,
        item_name,
        family,
        unit,
        criticality,
        is_service,
        description,
        unit_cost_brl,
        valid_from,
        valid_to,
        is_current,
        is_deleted,
        is_inferred,
        _commit_lsn_from,
        _commit_lsn_to
    from special
)

select * from final
