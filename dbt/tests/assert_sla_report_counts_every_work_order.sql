-- Every work order under a contract is in one month of its report, as met, breached or running.
with report as (
    select
        contract_id,
        sum(work_order_count) as work_order_count,
        sum(met_count + breached_count + running_count) as judged_count
    from {{ ref('rpt_sla_performance') }}
    group by contract_id
),

work_orders as (
    select
        contract_id,
        count(*) as work_order_count
    from {{ ref('fact_work_orders') }}
    where contract_id is not null
    group by contract_id
)

select
    coalesce(report.contract_id, work_orders.contract_id) as contract_id,
    report.work_order_count,
    report.judged_count,
    work_orders.work_order_count as work_orders
from report
full outer join work_orders on report.contract_id = work_orders.contract_id
where coalesce(report.work_order_count, 0) <> coalesce(work_orders.work_order_count, 0)
    or report.work_order_count <> report.judged_count
