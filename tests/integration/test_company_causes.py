"""What the demo company does has its causes: no part is bought, late or missing for nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lakehouse.erp import company
from lakehouse.settings import Settings
from tests.integration.living import ground, query, query_after

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("company")]

# Lines that somebody typed again: they are on no order of a supplier.
ONCE = """
once as (
    select * from (
        select *, row_number() over (partition by requisition_id, item_id, supplier_id, tower_id,
            quantity, unit_price_brl, requested_date, ordered_date order by order_id) as copy
        from orders
    ) as numbered where copy = 1
)
"""
POSITION = f"""
with {ONCE}, received as (
    select order_id, sum(quantity) as quantity from goods_receipts group by order_id
), changes as (
    select item_id, tower_id, quantity from demo.requisition_lines
    union all select item_id, tower_id, o.quantity - coalesce(r.quantity, 0)
    from once as o left join received as r using (order_id)
    where order_status in ('open', 'partial')
    union all select item_id, store_tower_id, issued_quantity - requested_quantity
    from material_requests where request_status = 'waiting'
    union all select item_id, tower_id, current_stock from inventory
), position as (
    select item_id, tower_id, reorder_point, max_stock, sum(quantity) as quantity
    from changes join inventory using (item_id, tower_id) group by 1, 2, 3, 4
)
"""
# What would be there if the causes were missing: each of these must be empty.
NEVER = {
    "a store that let its position fall and did not buy": f"""
        {POSITION} select * from position
        where quantity <= reorder_point and quantity < max_stock""",
    "a store that bought before its position fell": f"""
        with {ONCE} select o.order_id from once as o
        join inventory as v using (item_id, tower_id)
        where o.quantity < v.max_stock - v.reorder_point""",
    "a part that was bought without anybody asking for it that day": f"""
        with {ONCE} select order_id from once as o
        where tower_id is not null and least(requested_date, ordered_date) >= '2024-10-01'
        and not exists (
            select from material_requests as m
            where (m.item_id, m.store_tower_id) = (o.item_id, o.tower_id)
            and m.requested_at::date in (o.requested_date, o.ordered_date))""",
    "a part that was asked for before its work was opened or after it was closed": """
        select material_request_id from material_requests join work_orders using (work_order_id)
        where requested_at < opened_at - interval '1 hour' or requested_at > closed_at""",
    "a part that was issued and did not leave the store": """
        select item_id, store_tower_id from material_requests
        group by item_id, store_tower_id having sum(issued_quantity) <> (
            select coalesce(-sum(m.quantity), 0) from stock_movements as m
            where (m.item_id, m.tower_id) = (material_requests.item_id, store_tower_id)
            and m.movement_type = 'issue')""",
    "a delivery that did not reach the stock": """
        select goods_receipt_id from goods_receipts as g join orders using (order_id)
        join items using (item_id) left join stock_movements as m using (stock_movement_id)
        where not is_service and (m.quantity is distinct from g.quantity
        or m.movement_type <> 'receipt')""",
    "a stock that is not the sum of its movements": """
        select item_id, tower_id from inventory full join (
            select item_id, tower_id, sum(quantity) as booked from stock_movements
            group by item_id, tower_id) as m using (item_id, tower_id)
        where coalesce(current_stock, -1) <> coalesce(booked, 0)""",
    "work or an outage that ended before its parts came": """
        select w.work_order_id from work_orders as w join material_requests using (work_order_id)
        left join outages as o using (work_order_id)
        where issued_at > closed_at or issued_at > ended_at
        or request_status = 'waiting' and closed_at is not null""",
    "an outage without corrective work at its site": """
        select outage_id from outages as o left join work_orders as w using (work_order_id)
        where w.work_type is distinct from 'corrective' or w.tower_id <> o.tower_id""",
    "work under a contract that does not cover the site": """
        select work_order_id from work_orders as w where contract_id is not null and not exists (
            select from tower_contracts as t
            where (t.tower_id, t.contract_id) = (w.tower_id, w.contract_id))""",
}
TAMPERED = {
    "a store that let": "delete from orders where order_status = 'open' and tower_id is not null",
    "a store that bought": "update orders set quantity = 0.5 where tower_id is not null",
    "a part that was bought": "delete from material_requests",
    "a part that was asked": "update work_orders set closed_at = opened_at",
    "a part that was issued": "delete from stock_movements where movement_type = 'issue'",
    "a delivery": "update stock_movements set quantity = quantity + 1 where quantity > 0",
    "a stock that": "update inventory set current_stock = current_stock + 1",
    "work or an outage": "update work_orders set closed_at = opened_at",
    "an outage without": "update work_orders set work_type = 'civil'",
    "work under": "delete from tower_contracts",
}


@pytest.fixture(scope="module")
def erp() -> Iterator[Settings]:
    with ground() as shared:
        erp = shared.empty_erp()
        company.create(erp, seed=2)
        company.advance(erp, days=company.HISTORY_DAYS)
        query(erp, "create index on stock_movements (item_id, tower_id); analyze")
        yield erp


@pytest.mark.parametrize("what", NEVER)
def test_nothing_happens_without_its_cause(erp: Settings, what: str) -> None:
    assert query(erp, NEVER[what])[:5] == []


@pytest.mark.parametrize("what", NEVER)
def test_a_missing_cause_would_be_noticed(erp: Settings, what: str) -> None:
    [change] = [change for start, change in TAMPERED.items() if what.startswith(start)]
    assert query_after(erp, f"set constraints all deferred; {change}", NEVER[what])


def a_day(erp: Settings, discipline: str, months: str) -> float:
    """Work of a discipline that is opened on a usual business day of some months."""
    [(count,)] = query(
        erp,
        "select count(*) / (select count(*)::float from demo.days "
        f"where extract(month from day) in ({months}) and not day between '2025-03-03' and "
        "'2025-03-07' and day > '2024-09-30' and day not in "
        "('2024-11-15', '2024-11-20', '2024-12-25', '2025-01-01', '2025-04-18', '2025-04-21',"
        " '2025-05-01')) from work_orders "
        f"where discipline = %s and extract(month from opened_at) in ({months}) "
        "and not opened_at::date between '2025-03-03' and '2025-03-07'",
        discipline,
    )
    return float(count)


def test_rain_brings_structural_work_and_heat_cooling_work(erp: Settings) -> None:
    rain = a_day(erp, "structural", "11, 12, 1, 2, 3, 4") / a_day(erp, "structural", "5,6,7,8,9,10")
    assert rain == pytest.approx(1.4, abs=0.1)
    heat = a_day(erp, "cooling", "12, 1, 2, 3") / a_day(erp, "cooling", "4,5,6,7,8,9,10,11")
    assert heat == pytest.approx(1.25, abs=0.12)
    others = a_day(erp, "electrical", "11,12,1,2,3,4") / a_day(erp, "electrical", "5,6,7,8,9,10")
    assert others == pytest.approx(1, abs=0.12)


def test_at_carnival_less_is_done(erp: Settings) -> None:
    [(carnival, beside)] = query(
        erp,
        "select count(*) filter (where opened_at::date between '2025-03-03' and '2025-03-07'), "
        "count(*) filter (where opened_at::date between '2025-02-17' and '2025-03-21') "
        "from work_orders",
    )
    assert carnival / ((beside - carnival) / 4) == pytest.approx(0.7, abs=0.15)


def test_suppliers_deliver_late_in_part_and_sometimes_never(erp: Settings) -> None:
    [(late, partial, never)] = query(
        erp,
        f"with {ONCE}, its as (select o.order_id, expected_date, ordered_date, "
        "count(g.order_id) as deliveries, max(g.received_at)::date as came from once as o "
        "left join goods_receipts as g using (order_id) group by 1, 2, 3) "
        "select avg((came > expected_date)::int), avg((deliveries > 1)::int), "
        "avg((deliveries = 0)::int) from its where ordered_date < '2025-06-01'",
    )
    assert 0.35 < late < 0.65
    assert 0.03 < partial < 0.15
    assert 0.005 < never < 0.03


def test_stores_run_out_and_help_each_other(erp: Settings) -> None:
    statuses: dict[str, int] = dict(
        query(erp, "select request_status, count(*) from material_requests group by 1")
    )
    waited = query(
        erp,
        "select count(*) from material_requests "
        "where issued_at > requested_at + interval '12 hours'",
    )
    assert statuses["waiting"] > 10
    assert statuses["cancelled"] > 10
    assert waited[0][0] > 300
    [(transfers, total)] = query(
        erp,
        "select count(*), sum(quantity) from stock_movements where movement_type = 'transfer'",
    )
    assert transfers > 100
    assert total == 0


def test_a_stock_out_makes_an_outage_longer_and_breaks_its_sla(erp: Settings) -> None:
    rows = query(
        erp,
        "select waited, count(*), percentile_cont(0.5) within group (order by hours), "
        "avg((hours > sla_hours)::int) from (select w.sla_hours, extract(epoch from coalesce("
        "ended_at, (select max(updated_at) from outages)) - started_at) / 3600 as hours, exists ("
        "select from material_requests as m where m.work_order_id = o.work_order_id and "
        "(issued_at is null or issued_at > requested_at + interval '12 hours')) as waited "
        "from outages as o join work_orders as w using (work_order_id)) as t group by waited",
    )
    found = {waited: (count, hours, broken) for waited, count, hours, broken in rows}
    assert found[True][0] >= 10
    assert found[True][1] > 10 * found[False][1]
    assert found[True][2] > 0.9
    assert found[False][2] < 0.15


def test_prices_from_abroad_drift_with_the_dollar(erp: Settings) -> None:
    rows = query(
        erp,
        "select country <> 'BR', avg(p.unit_price_brl / q.unit_price_brl) from item_suppliers as p "
        "join item_suppliers as q using (item_id, supplier_id) join suppliers using (supplier_id) "
        "join items as i using (item_id) where date '2024-12-18' between p.valid_from and "
        "coalesce(p.valid_to, 'infinity') and q.valid_from = '2024-09-30' and p.unit_price_brl > 5 "
        "group by 1",
    )
    change = {is_abroad: float(ratio) for is_abroad, ratio in rows}
    assert change[True] > change[False] + 0.02
    [(today,)] = query(
        erp,
        "select count(*) from items as i join item_suppliers as s using (item_id) "
        "where valid_to is null and valid_from > '2025-08-01'",
    )
    assert today > 0
