-- Grain: one row per tower and period in which its attributes did not change.
{%- set attributes = [
    'tower_name',
    'tower_type',
    'state',
    'municipality',
    'latitude',
    'longitude',
    'served_by_tower_id',
] %}
{%- set opening = 'coalesce(versions.valid_from, ' ~ beginning_of_time() ~ ')' %}
with hub as (
    select * from {{ ref('hub_tower') }}
),

versions as (
{{ scd2_versions(ref('int_towers_changed'), 'tower_hk', attributes) }}
),

members as (
    select
        {{ surrogate_key('hub.tower_id', opening) }} as tower_key,
        hub.tower_id,
        versions.tower_name,
        versions.tower_type,
        versions.state,
        versions.municipality,
        versions.latitude,
        versions.longitude,
        versions.served_by_tower_id,
        {{ opening }} as valid_from,
        versions.valid_to,
        coalesce(versions.is_current, true) as is_current,
        coalesce(versions.is_deleted, false) as is_deleted,
        versions.tower_hk is null as is_inferred,
        versions._commit_lsn_from,
        versions._commit_lsn_to
    from hub
    left join versions on hub.tower_hk = versions.tower_hk
),

special as (
{{ special_members('tower_key', 'tower_name', 'tower', {
    'tower_id': 'text',
    'tower_type': 'text',
    'state': 'text',
    'municipality': 'text',
    'latitude': 'numeric(9, 6)',
    'longitude': 'numeric(9, 6)',
    'served_by_tower_id': 'text',
}) }}
),

final as (
    select * from members
    union all
    select
        tower_key,
        tower_id,
        tower_name,
        tower_type,
        state,
        municipality,
        latitude,
        longitude,
        served_by_tower_id,
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
