"""What the reorder science computes, against its textbook and against a store that lives by it."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from decimal import Decimal
from statistics import mean
from typing import Any

import pytest

from lakehouse import duck, ops
from lakehouse.settings import PROJECT, Settings
from lakehouse.transform import dbt_run
from tests.dbt.written_bronze import Row, change, deliver, instant, start_anew

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("reorder_policy")]

DAYS = 364
LAST = DAYS - 1  # a Monday: the next order can be placed tomorrow
STEADY, RARE = 5, 24
TARGET = 0.95
CHANCE = 0.15
SIZES = (1, 1, 1, 2, 2, 3, 5, 8)
LEAD_TIMES = (3, 5, 7, 10, 14, 21)
LINES = 40
BENCH = PROJECT / ".venv" / "bench" / "bin" / "python"
ASK_STOCKPYL = """
import json, sys
from stockpyl.newsvendor import newsvendor_normal
for level, mean, sd in json.load(sys.stdin):
    # With these costs the critical ratio is the service level.
    print(float(newsvendor_normal(1 - level, level, mean, sd)[0]))
"""
Point = dict[str, Any]


@pytest.fixture(scope="module")
def points(models_lake: Settings) -> Iterator[list[Point]]:
    """The reorder points of a company with some steady and many rare items at one store."""
    rng = random.Random(20251007)
    start_anew(models_lake)
    deliver(models_lake, _company(rng))
    deliver(models_lake, _past(rng))
    with pytest.MonkeyPatch.context() as patch:
        # A fixture of the whole module comes before the one that does this for each test.
        patch.setattr(ops, "warehouse", nullcontext)
        patch.setattr(ops, "record", lambda *_: None)
        assert dbt_run(models_lake, run_id="policy").as_of_date == "2025-09-29"
    with duck.warehouse(models_lake) as connection:
        found = connection.execute(
            "select * from intermediate.int_reorder_points"
            " inner join (select item_id, order_up_to from marts.rpt_reorder_recommendations)"
            " using (item_id) order by item_id"
        )
        names = [column[0] for column in found.description]
        yield [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_the_textbook_part_is_stockpyls(points: list[Point]) -> None:
    if not BENCH.exists():
        pytest.skip("stockpyl lives in the benchmarks' environment: make bench-env")
    steady = [point for point in points if point["method"] == "textbook"]
    assert len(steady) == STEADY
    cases = [
        (
            float(point["service_level"]),
            point["protection_days"] * point["daily_demand"] + point["undershoot"],
            (
                point["protection_days"] * point["daily_variance"]
                + point["daily_demand"] ** 2 * point["lead_time_variance"]
                + point["undershoot_variance"]
            )
            ** 0.5,
        )
        for point in steady
    ]
    answer = subprocess.run(
        [BENCH, "-c", ASK_STOCKPYL], input=json.dumps(cases), text=True, capture_output=True
    )
    assert answer.returncode == 0, answer.stderr
    assert [point["reorder_point"] for point in steady] == pytest.approx(
        [float(line) for line in answer.stdout.split()], rel=1e-9
    )


def test_a_store_that_lives_by_it_reaches_the_service_level(points: list[Point]) -> None:
    rare = [point for point in points if point["method"] == "quantile"]
    assert len(rare) == RARE
    served = [_cycle_service(point, random.Random(n)) for n, point in enumerate(rare)]
    assert TARGET - 0.05 <= mean(served) <= 1.0
    # Without the undershoot the same stores let a team wait much more often.
    bare = [
        _cycle_service({**point, "reorder_point": point["quantile_quantity"]}, random.Random(n))
        for n, point in enumerate(rare)
    ]
    assert mean(bare) < mean(served) - 0.02


def _cycle_service(point: Point, rng: random.Random, days: int = 5_000) -> float:
    """The share of deliveries before whose arrival nobody had to wait.

    What is seen in the evening is ordered the next day, and comes in the evening, L days later.
    """
    on_hand = position = float(point["order_up_to"])
    coming: dict[int, list[float]] = {}
    ends = []
    for day in range(days):
        demand = rng.choice(SIZES) if rng.random() < CHANCE else 0
        on_hand -= demand
        position -= demand
        for quantity in coming.pop(day, []):
            ends.append(on_hand >= 0)
            on_hand += quantity
        if position <= point["reorder_point"]:
            quantity = float(point["order_up_to"]) - position
            coming.setdefault(day + 1 + rng.choice(LEAD_TIMES), []).append(quantity)
            position += quantity
    assert len(ends) > 50
    return mean(ends)


def _company(rng: random.Random) -> dict[str, list[Row]]:
    """Master data, and what there is on the first day, so that every series begins on it."""
    codes = [f"{n:03d}" for n in range(STEADY + RARE)]
    item: Row = {"family": "EPI", "unit": "UN", "unit_cost_brl": 1.0, "criticality": "B"}
    place: Row = {"tower_type": "depot", "state": "BA", "municipality": "Salvador"}
    counted: Row = {"movement_type": "adjustment", "unit_cost_brl": 1.0, "moved_at": instant(0)}
    limits: Row = {"min_stock": 0.0, "max_stock": 9.0, "reorder_point": 1.0}
    del rng
    return {
        "erp/items": [
            change(1, day=0, item_id=code, item_name=code, is_service=False, **item)
            for code in codes
        ],
        "erp/towers": [change(1, day=0, tower_id="S", tower_name="S", **place)],
        "erp/stock_movements": [
            change(
                2, day=0, stock_movement_id=n, item_id=code, tower_id="S", quantity=9.0, **counted
            )
            for n, code in enumerate(codes)
        ],
        "erp/inventory": [
            change(2, day=0, item_id=code, tower_id="S", current_stock=9.0, **limits)
            for code in codes
        ],
    }


def _past(rng: random.Random) -> dict[str, list[Row]]:
    """A year of requests, and deliveries that took as long as they will take."""
    orders, receipts = _deliveries()
    return {
        "erp/material_requests": _requests(rng),
        "erp/orders": orders,
        "erp/goods_receipts": receipts,
    }


def _requests(rng: random.Random) -> list[Row]:
    requests: list[Row] = []
    for number in range(STEADY + RARE):
        for day in range(DAYS):
            is_business_day = instant(day).weekday() < 5
            if number < STEADY:
                size = rng.randint(3, 7) if is_business_day else 0
            else:
                size = rng.choice(SIZES) if rng.random() < CHANCE else 0
            if size:
                requests.append(_request(len(requests), f"{number:03d}", day, size))
    return requests


def _deliveries() -> tuple[list[Row], list[Row]]:
    """Lines of orders, with each lead time in turn, and when they came."""
    orders, receipts = [], []
    for line in range(LINES):
        lead_time = LEAD_TIMES[line % len(LEAD_TIMES)]
        orders.append(
            change(
                4,
                day=LAST,
                order_id=line,
                item_id="000",
                supplier_id="A",
                tower_id="S",
                quantity=1.0,
                unit_price_brl=1.0,
                ordered_date=instant(line).date(),
                order_status="received",
            )
        )
        receipts.append(
            change(
                5,
                day=LAST,
                goods_receipt_id=line,
                order_id=line,
                quantity=1.0,
                received_at=instant(line) + timedelta(days=lead_time),
            )
        )
    return orders, receipts


def _request(number: int, item_id: str, day: int, size: int) -> Row:
    return change(
        3,
        day=LAST,
        material_request_id=number,
        work_order_id=1,
        item_id=item_id,
        store_tower_id="S",
        requested_quantity=Decimal(size),
        issued_quantity=Decimal(size),
        requested_at=instant(day),
        needed_at=instant(day),
        request_status="issued",
    )
