-- Grain: one row per contract and period in which its attributes did not change.
{%- set attributes = [
    'client_name',
    'service_type',
    'sla_tier',
    'availability_target',
    'monthly_value_brl',
    'penalty_pct',
] %}
{%- set opening = 'coalesce(versions.valid_from, ' ~ beginning_of_time() ~ ')' %}
with hub as (
    select * from {{ ref('hub_contract') }}
),

versions as (
{{ scd2_versions(ref('int_contracts_changed'), 'contract_hk', attributes) }}
),

members as (
    select
        {{ surrogate_key('hub.contract_id', opening) }} as contract_key,
        hub.contract_id,
        versions.client_name,
        versions.service_type,
        versions.sla_tier,
        versions.availability_target,
        versions.monthly_value_brl,
        versions.penalty_pct,
        {{ opening }} as valid_from,
        versions.valid_to,
        coalesce(versions.is_current, true) as is_current,
        coalesce(versions.is_deleted, false) as is_deleted,
        versions.contract_hk is null as is_inferred,
        versions._commit_lsn_from,
        versions._commit_lsn_to
    from hub
    left join versions on hub.contract_hk = versions.contract_hk
),

special as (
{{ special_members('contract_key', 'client_name', 'contract', {
    'contract_id': 'text',
    'service_type': 'text',
    'sla_tier': 'text',
    'availability_target': 'numeric(5, 2)',
    'monthly_value_brl': 'numeric(12, 2)',
    'penalty_pct': 'numeric(5, 2)',
}) }}
),

final as (
    select * from members
    union all
    select
        contract_key,
        contract_id,
        client_name,
        service_type,
        sla_tier,
        availability_target,
        monthly_value_brl,
        penalty_pct,
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
