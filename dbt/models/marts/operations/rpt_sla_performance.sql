-- Grain: one row per contract and month in which it covered a site or had work orders opened.
with contracts as (
{{ dimension_as_of(ref('dim_contracts'), 'contract_id', [
    'contract_key',
    'client_name',
    'service_type',
    'sla_tier',
    'availability_target',
    'monthly_value_brl',
    'penalty_pct',
]) }}
),

availability as (
    select
        contract_id,
        month_date,
        count(*) as site_count,
        cast(sum(covered_seconds) as numeric(24, 6)) as covered_seconds,
        cast(sum(down_seconds) as numeric(24, 6)) as down_seconds
    from {{ ref('int_site_availability') }}
    group by contract_id, month_date
),

opened as (
    select
        contract_id,
        sla_status,
        {{ add_days(
            'opened_date', '1 - cast(extract(day from opened_date) as integer)'
        ) }} as month_date
    from {{ ref('fact_work_orders') }}
    where contract_id is not null
),

work as (
    select
        contract_id,
        month_date,
        count(*) as work_order_count,
        sum(case when sla_status = 'met' then 1 else 0 end) as met_count,
        sum(case when sla_status = 'breached' then 1 else 0 end) as breached_count,
        sum(case when sla_status = 'running' then 1 else 0 end) as running_count
    from opened
    group by contract_id, month_date
),

contract_months as (
    select
        contract_id,
        month_date
    from availability
    union
    select
        contract_id,
        month_date
    from work
),

dated as (
    select
        contract_id,
        month_date,
        {{ add_days(
            "cast(cast(month_date as timestamp) + interval '1' month as date)", -1
        ) }} as last_date
    from contract_months
),

months as (
    select
        *,
        last_date <= {{ as_of_date() }} as is_month_over,
        {{ end_of_local_date('least(last_date, ' ~ as_of_date() ~ ')') }} as ends_at
    from dated
),

measured as (
    select
        months.contract_id,
        months.month_date,
        months.is_month_over,
        {{ member_key('months.contract_id', 'contracts.contract_key') }} as contract_key,
        contracts.client_name,
        contracts.service_type,
        contracts.sla_tier,
        contracts.availability_target,
        contracts.monthly_value_brl,
        contracts.penalty_pct,
        coalesce(availability.site_count, 0) as site_count,
        coalesce(availability.covered_seconds, 0) as covered_seconds,
        coalesce(availability.down_seconds, 0) as down_seconds,
        -- Whole microseconds up and down, so that the target is compared exactly.
        (availability.covered_seconds - availability.down_seconds) * 1000000 as up_us,
        availability.covered_seconds * 1000000 as covered_us,
        coalesce(work.work_order_count, 0) as work_order_count,
        cast(coalesce(work.met_count, 0) as bigint) as met_count,
        cast(coalesce(work.breached_count, 0) as bigint) as breached_count,
        cast(coalesce(work.running_count, 0) as bigint) as running_count
    from months
    left join availability
        on months.contract_id = availability.contract_id
        and months.month_date = availability.month_date
    left join work
        on months.contract_id = work.contract_id
        and months.month_date = work.month_date
    left join contracts
        on months.contract_id = contracts.contract_id
        and months.ends_at > contracts.found_from
        and months.ends_at <= coalesce(contracts.found_until, {{ end_of_time() }})
),

judged as (
    select
        *,
        -- Up / covered < target / 100, without a division.
        cast(up_us as numeric(38, 0)) * 10000
        < cast(covered_us as numeric(38, 0)) * cast(availability_target * 100 as integer)
            as is_target_missed
    from measured
),

final as (
    select
        {{ hash_of({'contract_id': 'text', 'month_date': 'date'}) }} as sla_performance_key,
        contract_key,
        contract_id,
        month_date,
        is_month_over,
        client_name,
        service_type,
        sla_tier,
        site_count,
        covered_seconds,
        down_seconds,
        -- Millionths of a percent, rounded half up.
        cast(
            {{ integer_division('up_us * 200000000 + covered_us', 'covered_us * 2') }}
            * cast(0.000001 as numeric(7, 6)) as numeric(18, 6)
        ) as availability_pct,
        availability_target,
        is_target_missed,
        monthly_value_brl,
        penalty_pct,
        cast(
            case
                when is_target_missed then cast(monthly_value_brl as numeric(18, 2)) * penalty_pct
                else 0
            end * cast(0.01 as numeric(3, 2)) as numeric(24, 6)
        ) as penalty_brl,
        work_order_count,
        met_count,
        breached_count,
        running_count,
        {{ mart_number(
            double('breached_count') ~ ' / ' ~ double('nullif(met_count + breached_count, 0)')
        ) }} as breach_rate,
        {{ as_of_date() }} as as_of_date
    from judged
)

select * from final
