"""What arrives late changes the days of fact_inventory that it touches, back to the first of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from lakehouse import duck
from lakehouse.settings import Settings
from lakehouse.transform import ranges, steps
from tests.dbt.written_bronze import Row, change, deliver, instant, start_anew

STORE = "BAFRD017"
KNOWN = {
    "repriced": [(1, 10.0), (10, 11.0), (30, 12.0)],
    "moved": [(1, 10.0)],
    "dropped": [(1, 10.0)],
    "older": [(20, 12.0), (25, 13.0)],
}
"""The prices of each item by the day of their change, as far as the first delivery tells."""


def test_what_comes_late_counts_from_its_day_on(models_lake: Settings) -> None:
    days = _after_both_deliveries(models_lake)
    # A version counts from its day to the next one.
    costs = [days["repriced", day][1] for day in (2, 10, 19, 20, 29, 30, 40)]
    assert costs == [10, 11, 11, 99, 99, 12, 12]
    # The first version of all reaches back to the beginning.
    assert [days["older", day][1] for day in (2, 5, 19, 20, 40)] == [7, 7, 7, 12, 13]
    assert [days["moved", day][0] for day in (2, 14, 15, 40)] == [5, 5, 10, 10]
    # Whether a pair is kept is said of all its days.
    kept = {item: {days[item, day][2] for day in range(2, 41)} for item in KNOWN}
    assert kept == {item: {item != "dropped"} for item in KNOWN}


def _after_both_deliveries(lake: Settings) -> dict[tuple[str, int], tuple[Any, ...]]:
    """Of an item and a day: stock, cost and whether it is kept."""
    start_anew(lake)
    prices = [_price(item, *price) for item, known in KNOWN.items() for price in known]
    first = {
        "erp/items": prices,
        "erp/towers": [change(1, day=1, tower_id=STORE, tower_type="depot")],
        "erp/inventory": [_kept(item, 1, 9.0) for item in KNOWN],
        "erp/stock_movements": [_moved(number, item, 2) for number, item in enumerate(KNOWN)],
    }
    late = {
        "erp/items": [_price("repriced", 20, 99.0), _price("older", 5, 7.0)],
        "erp/inventory": [_kept("dropped", 40, 0.0)],
        "erp/stock_movements": [_moved(9, "moved", 15)],
    }
    for delivery in (first, late):
        deliver(lake, delivery)
        steps.dbt_run(lake, run_id="build")
        assert ranges.advance(lake)
    with duck.warehouse(lake) as connection:
        rows = connection.execute(
            "select item_id, inventory_date, quantity_on_hand, unit_cost_brl, is_kept"
            " from marts.fact_inventory"
        ).fetchall()
    assert len({row[:2] for row in rows}) == len(rows)
    return {(item, (day - instant(0).date()).days): tuple(rest) for item, day, *rest in rows}


def _price(item: str, day: int, cost: float) -> Row:
    return change(100 + day, day=day, item_id=item, item_name=item, unit_cost_brl=cost)


def _kept(item: str, day: int, most: float) -> Row:
    row = change(200 + day, day=day, item_id=item, tower_id=STORE, current_stock=5.0)
    return row | {"max_stock": Decimal(most)}


def _moved(number: int, item: str, day: int) -> Row:
    return change(
        300 + number,
        day=40,
        stock_movement_id=number,
        item_id=item,
        tower_id=STORE,
        movement_type="receipt",
        quantity=5.0,
        moved_at=instant(day),
    )
