"""Thirteen months of the demo company have the shape that was measured at the real one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lakehouse.erp import company
from lakehouse.settings import Settings
from tests.integration.living import ground, query, query_after

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("company")]

FAMILIES = {  # lines, items, lead median, lead p90, quantity median, quantity p95
    "MATERIAL ELETRICO": (821, 156, 7, 44, 10, 350),
    "EPI": (484, 54, 4, 14, 2, 20),
    "FERRO E AÇO": (483, 140, 8, 39, 8, 1000),
    "MATERIAL CIVIL": (420, 103, 7, 37, 6, 150),
    "FERRAMENTAS E EQUIPAMENTOS": (331, 93, 4, 24, 1, 295),
    "SUPRIMENTOS ADMINISTRATIVO": (280, 117, 6, 21, 2, 50),
    "PINTURA": (198, 31, 7, 24, 10, 91),
    "MATERIAL DE LIMPEZA": (141, 39, 13, 18, 4, 100),
    "INFORMATICA": (87, 25, 8, 43, 3, 21),
    "ABRASIVOS": (67, 12, 4, 24, 14, 142),
    "PAPELARIA": (33, 19, 9, 17, 4, 30),
    "SINALIZADORES": (25, 7, 6.5, 35, 5, 24),
    "OLEOS E LUBRIFICANTES": (17, 6, 4.5, 7, 4, 40),
    "SERVIÇOS TOMADOS": (485, 46, 5, 42, 1, 1),
    "SERVIÇOS PRESTADOS": (328, 28, 7, 56, 1, 1),
}
COUNTS = """
select count(*), count(distinct item_id), count(distinct supplier_id), count(distinct tower_id),
    count(distinct contract_id), count(distinct requisition_id)
from orders
"""
DIRT = {
    "typed again": (
        "select sum(n - 1) from (select count(*) as n from orders group by requisition_id, item_id,"
        " supplier_id, tower_id, contract_id, quantity, unit_price_brl, requested_date,"
        " needed_date, ordered_date, expected_date) as t",
        (254, 262),
    ),
    "% without a day it is needed by": (
        "select 100 * avg((needed_date is null)::int) from orders",
        (84, 88),
    ),
    "% without a depot": ("select 100 * avg((tower_id is null)::int) from orders", (18, 20.5)),
    "a depot for a service, or a part without one": (
        "select count(*) from orders join items using (item_id)"
        " where is_service is distinct from (tower_id is null)",
        (0, 0),
    ),
    "bought before it was asked for": (
        "select count(*) from orders where ordered_date < requested_date",
        (250, 300),
    ),
    "services bought before they were asked for": (
        "select count(*) from orders join items using (item_id)"
        " where ordered_date < requested_date and is_service",
        (185, 235),
    ),
    "of a wrong year": ("select count(*) from orders where needed_date > '2026-12-31'", (1, 1)),
    "without a requisition": (
        "select count(*) from orders where requisition_id is null",
        (19, 19),
    ),
    "without a date": ("select count(*) from orders where ordered_date is null", (19, 19)),
    "on a weekend": (
        "select count(*) from orders where extract(isodow from ordered_date) > 5",
        (0, 0),
    ),
    "units spelled in two ways": (
        "select count(distinct unit) from items where unit in ('M2', 'M²', 'M3', 'M³')",
        (3, 4),
    ),
    "codes that begin with a zero, of four signs or six": (
        "select count(distinct length(item_id)) from orders where item_id like '0%'",
        (2, 2),
    ),
}
WEEKLY = """
select item_id, (ordered_date - date '2024-09-30') / 7 as week, sum(quantity) as quantity
from orders where ordered_date is not null group by item_id, week
"""


@pytest.fixture(scope="module")
def erp() -> Iterator[Settings]:
    with ground() as shared:
        erp = shared.empty_erp()
        company.create(erp)
        lived = company.advance(erp, days=company.HISTORY_DAYS)
        assert lived.last_day == "2025-10-07"
        yield erp


def near(found: object, expected: float, relative: float, absolute: float = 0) -> bool:
    return bool(float(str(found)) == pytest.approx(expected, rel=relative, abs=absolute))


def test_as_much_is_bought_by_as_many_from_as_many(erp: Settings) -> None:
    [(lines, items, suppliers, sites, contracts, requisitions)] = query(erp, COUNTS)
    assert (items, suppliers, sites, contracts) == (879, 472, 190, 31)
    assert near(lines, 4207, 0.002)
    assert near(requisitions, 1395, 0.05)
    [(median, mean, most)] = query(
        erp,
        "select percentile_disc(0.5) within group (order by n), avg(n), max(n) from (select "
        "count(*) as n from orders where requisition_id is not null group by requisition_id) as t",
    )
    assert median == 1
    assert near(mean, 3, 0.06)
    assert 58 <= most <= 66


def test_months_and_weekdays_have_their_shares(erp: Settings) -> None:
    months = query(
        erp,
        "select count(*) from orders group by date_trunc('month', ordered_date) "
        "having date_trunc('month', ordered_date) is not null order by min(ordered_date)",
    )
    first, *year = [count for (count,) in months[2:]]
    assert near(sum(count for (count,) in months[:3]), 153, 0.12)
    assert first < 90
    measured = (324, 275, 721, 320, 442, 469, 478, 461, 460, 85)
    assert len(year) == len(measured)
    assert [near(found, lines, 0.06, 8) for found, lines in zip(year, measured, strict=True)] == (
        [True] * len(measured)
    )
    weekdays = query(
        erp,
        "select count(*) from orders where ordered_date is not null "
        "group by extract(isodow from ordered_date) order by extract(isodow from ordered_date)",
    )
    wanted = (765, 842, 907, 1021, 653)
    shares = [count / lines for (count,), lines in zip(weekdays, wanted, strict=True)]
    assert all(near(share, 1, 0.05) for share in shares), shares


def test_lead_times_have_their_quantiles(erp: Settings) -> None:
    [(found,)] = query(
        erp,
        "select percentile_cont(array[0.5, 0.75, 0.9, 0.95, 0.99, 1]) within group "
        "(order by ordered_date - requested_date) from orders",
    )
    measured = (6, 14, 30, 48, 82, 154)
    assert [near(a, b, 0.15, 1) for a, b in zip(found, measured, strict=True)] == [True] * 6, found


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_bought_as_it_was(erp: Settings, family: str) -> None:
    lines, items, lead_median, lead_p90, median, p95 = FAMILIES[family]
    [(found_lines, found_items, leads, quantities)] = query(
        erp,
        "select count(*), count(distinct item_id), percentile_cont(array[0.5, 0.9]) within group "
        "(order by ordered_date - requested_date), percentile_cont(array[0.5, 0.95]) within group "
        "(order by quantity) from orders join items using (item_id) where family = %s",
        family,
    )
    assert near(found_lines, lines, 0.05, 3)
    assert near(found_items, items, 0, 2)
    assert near(leads[0], lead_median, 0, 1.5)
    assert near(leads[1], lead_p90, 0.25, 4)
    assert near(quantities[0], median, 0.3, 1.5)
    assert 0.4 * p95 <= float(quantities[1]) <= 2.5 * p95


def test_demand_is_as_intermittent_as_it_was(erp: Settings) -> None:
    [(weeks,)] = query(erp, f"select 1 - count(*) / (879 * 54.0) from ({WEEKLY}) as t")
    assert near(weeks, 0.92, 0, 0.01)
    [(months,)] = query(
        erp,
        "select 1 - count(distinct (item_id, date_trunc('month', ordered_date))) / (879 * 13.0) "
        "from orders where ordered_date is not null",
    )
    assert near(months, 0.74, 0, 0.015)
    # Syntetos and Boylan: how seldom (54 weeks a week with demand), how unequal.
    classes: dict[str, int] = dict(
        query(
            erp,
            f"with demand as ({WEEKLY}), item as (select item_id, 54.0 / count(*) >= 1.32 as rare, "
            "coalesce((stddev_pop(quantity) / avg(quantity)) ^ 2, 0) >= 0.49 as unequal "
            "from demand join items using (item_id) where not is_service group by item_id) "
            "select (rare, unequal)::text, count(*) from item group by rare, unequal",
        )
    )
    assert set(classes) <= {"(t,f)", "(t,t)", "(f,t)"}
    assert near(classes["(t,f)"], 656, 0, 35)
    assert near(classes["(t,t)"], 148, 0, 35)
    assert classes.get("(f,t)", 0) <= 2


def test_units_have_their_shares(erp: Settings) -> None:
    found: dict[str, int] = dict(
        query(erp, "select unit, count(*) from orders join items using (item_id) group by unit")
    )
    measured = {"UN": 3102, "SR": 817, "MT": 110, "KG": 102, "M³": 14, "M2": 12, "M": 11, "CJ": 9}
    measured |= {"PC": 7, "CX": 6, "PAR": 6, "GL": 3}
    differ = {
        unit: (found.get(unit), lines)
        for unit, lines in measured.items()
        if not near(found.get(unit, 0), lines, 0.1, 5)
    }
    assert differ == {}


@pytest.mark.parametrize("what", DIRT)
def test_data_are_as_dirty_as_they_were(erp: Settings, what: str) -> None:
    sql, (least, most) = DIRT[what]
    [(found,)] = query(erp, sql)
    assert least <= float(found) <= most


def test_a_company_of_another_shape_would_be_noticed(erp: Settings) -> None:
    changed = "update orders set tower_id = null where order_id % 10 = 0"
    sql, (_, most) = DIRT["% without a depot"]
    [(found,)] = query_after(erp, changed, sql)
    assert found > most
