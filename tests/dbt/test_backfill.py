"""A backfill builds again what changed in its days, and nothing is other for it."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from lakehouse import duck
from lakehouse.errors import SettingsError
from lakehouse.settings import Settings
from lakehouse.transform import backfill, backfilling, mart_hashes, ranges, steps
from tests.dbt.made_up_erp import Erp
from tests.dbt.written_bronze import DAY_ONE, change, deliver, start_anew

FIRST = DAY_ONE.date()
DAMAGE = "update marts.fact_stock_movements set quantity = quantity + 1"


@pytest.mark.parametrize(
    ("first", "last", "begins"),
    [
        (0, 0, {"erp/items": 0, "erp/towers": 0}),
        (5, 5, {"erp/items": 1}),
        (1, 9, {"erp/items": 1, "erp/towers": 1}),
        (6, 8, {"erp/towers": 1}),
        (1, 4, {}),
        (20, 30, {}),
    ],
)
def test_a_table_begins_before_its_first_batch_with_a_change_of_these_days(
    models_lake: Settings, first: int, last: int, begins: dict[str, int]
) -> None:
    start_anew(models_lake)
    for items, towers in (([0], [0]), ([5, 0], []), ([9], [7])):
        rows = {
            "erp/items": [change(day + 1, day=day, item_id="0148") for day in items],
            "erp/towers": [change(day + 1, day=day, tower_id="SP01") for day in towers],
        }
        deliver(models_lake, rows)
    tables = ["erp/items", "erp/towers", "erp/orders", "_cdc/boundaries"]
    since, until = FIRST + timedelta(days=first), FIRST + timedelta(days=last)
    assert backfilling._before_changes(models_lake, tables, since, until) == begins


def test_a_range_without_a_day_is_refused(models_lake: Settings) -> None:
    with pytest.raises(SettingsError, match="has no day"):
        backfill(models_lake, run_id="b", since=FIRST, until=FIRST - timedelta(days=1))


@pytest.mark.long
def test_what_was_damaged_in_the_range_is_right_again(models_lake: Settings) -> None:
    erp = Erp(random.Random(7))
    erp.live(transactions=200)
    start_anew(models_lake)
    half = len(erp.log) // 2
    for part in (erp.log[:half], erp.log[half:]):
        deliver(models_lake, {name: [r for t, r in part if t == name] for name, _ in part})
        steps.dbt_run(models_lake, run_id="build")
        assert ranges.advance(models_lake)
    hashes = mart_hashes(models_lake)

    with duck.warehouse(models_lake) as connection:
        connection.execute(DAMAGE)
    assert mart_hashes(models_lake) != hashes
    done = backfill(models_lake, run_id="b", since=FIRST, until=FIRST + timedelta(days=999))
    assert done.batches > 0
    assert mart_hashes(models_lake) == hashes
    assert ranges.advance(models_lake)
