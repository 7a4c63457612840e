-- Grain: one row per supplier and period in which its attributes did not change.
{%- set attributes = [
    'supplier_name',
    'tax_id',
    'country',
    'state',
    'is_active',
] %}
{%- set opening = 'coalesce(versions.valid_from, ' ~ beginning_of_time() ~ ')' %}
with hub as (
    select * from {{ ref('hub_supplier') }}
),

versions as (
{{ scd2_versions(ref('int_suppliers_changed'), 'supplier_hk', attributes) }}
),

members as (
    select
        {{ surrogate_key('hub.supplier_id', opening) }} as supplier_key,
        hub.supplier_id,
        versions.supplier_name,
        versions.tax_id,
        versions.country,
        versions.state,
        versions.is_active,
        {{ opening }} as valid_from,
        versions.valid_to,
        coalesce(versions.is_current, true) as is_current,
        coalesce(versions.is_deleted, false) as is_deleted,
        versions.supplier_hk is null as is_inferred,
        versions._commit_lsn_from,
        versions._commit_lsn_to
    from hub
    left join versions on hub.supplier_hk = versions.supplier_hk
),

special as (
{{ special_members('supplier_key', 'supplier_name', 'supplier', {
    'supplier_id': 'text',
    'tax_id': 'text',
    'country': 'text',
    'state': 'text',
    'is_active': 'boolean',
}) }}
),

final as (
    select * from members
    union all
    select
        supplier_key,
        supplier_id,
        supplier_name,
        tax_id,
        country,
        state,
        is_active,
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
