-- Grain: one row per work order that the ERP still has, as it was last corrected.
{#- Incremental by key. An order is computed again when it or a member that it points at was
touched, and while it is open: it breaches its SLA by growing old. What the ERP deleted is taken out
at the end of the same transaction. -#}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='work_order_key',
    on_schema_change='fail',
    post_hook="
        delete from {{ this }}
        where work_order_key in (
            select work_order_hk
            from {{ ref('int_work_orders_changed') }}
            where is_latest and is_deleted
        )
    ",
) }}
-- depends_on: {{ ref('hub_tower') }} {{ ref('int_towers_changed') }}
-- depends_on: {{ ref('hub_contract') }} {{ ref('int_contracts_changed') }}
with towers as (
{{ dimension_as_of(ref('dim_towers'), 'tower_id', ['tower_key']) }}
),

contracts as (
{{ dimension_as_of(ref('dim_contracts'), 'contract_id', ['contract_key']) }}
),
{% if is_incremental() %}
touched_towers as (
{{ touched_members(
    ref('hub_tower'), ref('int_towers_changed'), 'tower_hk', 'tower_id', 'erp/towers'
) }}
),

touched_contracts as (
{{ touched_members(
    ref('hub_contract'), ref('int_contracts_changed'), 'contract_hk', 'contract_id', 'erp/contracts'
) }}
),
{% endif %}
work_orders as (
    select
        *,
        {{ add_hours('opened_at', 'sla_hours') }} as due_at,
        {{ end_of_local_date(as_of_date()) }} as as_of_at
    from {{ ref('vw_work_orders_current') }}
    {%- if is_incremental() %}
    where {{ recomputed('erp/work_orders') }}
        or tower_id in (select touched_towers.tower_id from touched_towers)
        or contract_id in (select touched_contracts.contract_id from touched_contracts)
        or closed_at is null
    {%- endif %}
),

final as (
    select
        work_orders.work_order_hk as work_order_key,
        work_orders.work_order_id,
        {{ member_key('work_orders.tower_id', 'towers.tower_key') }} as tower_key,
        {{ member_key('work_orders.contract_id', 'contracts.contract_key') }} as contract_key,
        work_orders.tower_id,
        work_orders.contract_id,
        work_orders.work_type,
        work_orders.discipline,
        work_orders.opened_at,
        work_orders.closed_at,
        work_orders.due_at,
        {{ local_date('work_orders.opened_at') }} as opened_date,
        {{ local_date('work_orders.closed_at') }} as closed_date,
        work_orders.sla_hours,
        -- Millionths of an hour are 3,600 microseconds each, rounded half up.
        cast(
            {{ integer_division(
                '(' ~ epoch_microseconds('work_orders.closed_at')
                ~ ' - ' ~ epoch_microseconds('work_orders.opened_at') ~ ') * 2 + 3600',
                '7200'
            ) }} * cast(0.000001 as numeric(7, 6)) as numeric(18, 6)
        ) as hours_to_close,
        work_orders.closed_at is not null as is_closed,
        case
            when coalesce(work_orders.closed_at, work_orders.as_of_at) > work_orders.due_at
                then 'breached'
            when work_orders.closed_at is not null then 'met'
            else 'running'
        end as sla_status,
        coalesce(work_orders.closed_at, work_orders.as_of_at) > work_orders.due_at
            as is_sla_breached,
        work_orders.created_at as booked_at,
        work_orders.commit_lsn as _commit_lsn
    from work_orders
    left join towers
        on work_orders.tower_id = towers.tower_id
        and work_orders.opened_at >= towers.found_from
        and work_orders.opened_at < coalesce(towers.found_until, {{ end_of_time() }})
    left join contracts
        on work_orders.contract_id = contracts.contract_id
        and work_orders.opened_at >= contracts.found_from
        and work_orders.opened_at < coalesce(contracts.found_until, {{ end_of_time() }})
)

select * from final
