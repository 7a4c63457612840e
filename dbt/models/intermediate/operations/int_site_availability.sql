{#- Incremental by site and month: a site whose cover or outages were touched is computed again
whole, every other one from the last month that was there, which was not over yet. -#}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ taken_out(touched_site_months(this), ['tower_id', 'month_date']) }}",
) }}
-- depends_on: {{ ref('sat_outage__erp') }} {{ ref('int_outages_changed') }}
with {% if is_incremental() %}touched_sites as (
{{ touched_sites() }}
),

{% endif -%}
as_of as (
    select {{ end_of_local_date(as_of_date()) }} as as_of_at
),

snapshot_rows as (
    select
        tower_contract_hk,
        seq,
        min(created_at) as created_at
    from {{ ref('eff_sat_tower_contract') }}
    where op = 'snapshot'
    group by tower_contract_hk, seq
),

states as (
    select
        changed.tower_contract_hk,
        changed.is_deleted,
        -- What came with a snapshot is older than that: it holds since the ERP made the row.
        greatest(
            least(changed.effective_at, snapshot_rows.created_at),
            lag(changed.effective_at) over (
                partition by changed.tower_contract_hk order by changed.seq
            )
        ) as covered_from,
        lead(changed.effective_at) over (
            partition by changed.tower_contract_hk order by changed.seq
        ) as covered_until
    from {{ ref('int_tower_contracts_changed') }} as changed
    left join snapshot_rows
        on changed.tower_contract_hk = snapshot_rows.tower_contract_hk
        and changed.seq = snapshot_rows.seq
),

covers as (
    select
        hub_tower.tower_id,
        hub_contract.contract_id,
        states.covered_from,
        least(states.covered_until, as_of.as_of_at) as covered_until
    from states
    cross join as_of
    inner join {{ ref('link_tower_contract') }} as link
        on states.tower_contract_hk = link.tower_contract_hk
    inner join {{ ref('hub_tower') }} as hub_tower on link.tower_hk = hub_tower.tower_hk
    inner join {{ ref('hub_contract') }} as hub_contract
        on link.contract_hk = hub_contract.contract_hk
    where not states.is_deleted
),

days as (
{{ date_spine(
    '(select min(' ~ local_date('covered_from') ~ ') from covers)', as_of_date()
) }}
),

months as (
    select
        month_date,
        {{ end_of_local_date(add_days('month_date', -1)) }} as begins_at,
        {{ end_of_local_date('max(calendar_date)') }} as ends_at
    from (
        select
            calendar_date,
            {{ add_days(
                'calendar_date', '1 - cast(extract(day from calendar_date) as integer)'
            ) }} as month_date
        from days
    ) as dated
    group by month_date
),

covered_months as (
    select
        covers.tower_id,
        covers.contract_id,
        months.month_date,
        greatest(covers.covered_from, months.begins_at) as covered_from,
        least(covers.covered_until, months.ends_at) as covered_until
    from covers
    inner join months
        on covers.covered_from < months.ends_at
        and covers.covered_until > months.begins_at
    {%- if is_incremental() %}
    where covers.tower_id in (select touched_sites.tower_id from touched_sites)
        or months.month_date > coalesce(
            (select max(present.month_date) from {{ this }} as present),
            cast('0001-01-01' as date)
        )
    {%- endif %}
),

outages as (
    select
        outages.tower_id,
        outages.started_at,
        least(coalesce(outages.ended_at, as_of.as_of_at), as_of.as_of_at) as ended_at
    from {{ ref('vw_outages_current') }} as outages
    cross join as_of
    where outages.tower_id in (select covered_months.tower_id from covered_months)
        and coalesce(outages.ended_at, as_of.as_of_at) > (
            select min(covered_months.covered_from) from covered_months
        )
),

begun as (
    -- Two outages at once are one time of being down.
    select
        *,
        case
            when started_at <= max(ended_at) over (
                partition by tower_id
                order by started_at, ended_at
                rows between unbounded preceding and 1 preceding
            ) then 0
            else 1
        end as is_new
    from outages
    where ended_at > started_at
),

numbered as (
    select
        *,
        sum(is_new) over (
            partition by tower_id
            order by started_at, ended_at
            rows between unbounded preceding and current row
        ) as downtime
    from begun
),

downtimes as (
    select
        tower_id,
        min(started_at) as down_from,
        max(ended_at) as down_until
    from numbered
    group by tower_id, downtime
),

down as (
    select
        covered_months.tower_id,
        covered_months.contract_id,
        covered_months.month_date,
        sum(
            {{ epoch_microseconds('least(covered_until, down_until)') }}
            - {{ epoch_microseconds('greatest(covered_from, down_from)') }}
        ) as microseconds
    from covered_months
    inner join downtimes
        on covered_months.tower_id = downtimes.tower_id
        and covered_months.covered_until > downtimes.down_from
        and covered_months.covered_from < downtimes.down_until
    group by covered_months.tower_id, covered_months.contract_id, covered_months.month_date
),

covered as (
    select
        tower_id,
        contract_id,
        month_date,
        sum(
            {{ epoch_microseconds('covered_until') }} - {{ epoch_microseconds('covered_from') }}
        ) as microseconds
    from covered_months
    where covered_until > covered_from
    group by tower_id, contract_id, month_date
),

final as (
    select
        covered.tower_id,
        covered.contract_id,
        covered.month_date,
        cast(
            cast(covered.microseconds as numeric(18, 0)) * 0.000001 as numeric(18, 6)
        ) as covered_seconds,
        cast(
            cast(coalesce(down.microseconds, 0) as numeric(18, 0)) * 0.000001 as numeric(18, 6)
        ) as down_seconds
    from covered
    left join down
        on covered.tower_id = down.tower_id
        and covered.contract_id = down.contract_id
        and covered.month_date = down.month_date
)

select * from final
