"""What cannot be staged is told before anything is copied."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse import publish
from lakehouse.errors import LakehouseError
from lakehouse.publish.staging import Column, Mart
from lakehouse.settings import Settings


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        (None, ["there is no warehouse", "warehouse.duckdb"]),
        ("create schema marts", ["no table in schema `marts`"]),
        ("create schema marts; create table marts.dim_items (item_key varchar)", ["run_context"]),
        (
            "create schema marts; create schema ops;"
            "create table ops.run_context as select date '2024-10-01' as as_of_date;"
            "create table marts.dim_items as select 1::hugeint as item_count",
            ["item_count", "dim_items", "HUGEINT"],
        ),
    ],
)
def test_a_warehouse_without_marts_to_copy_is_told(
    lake: Settings, statements: str | None, told: list[str]
) -> None:
    if statements:
        lake.home.mkdir()
        with duckdb.connect(lake.duckdb_path) as connection:
            connection.execute(statements)
    with pytest.raises(LakehouseError) as failed:
        publish.stage(lake, run_id="run-1")
    for part in told:
        assert part in failed.value.what


def test_a_broken_warehouse_is_told(lake: Settings) -> None:
    lake.home.mkdir()
    lake.duckdb_path.write_bytes(b"not a database" * 1000)
    with pytest.raises(LakehouseError, match=r"warehouse\.duckdb is damaged") as failed:
        publish.stage(lake, run_id="run-1")
    assert "lakehouse rebuild" in failed.value.hint


@pytest.mark.parametrize(
    ("mart", "columns", "key"),
    [
        ("dim_items", ["item_key", "item_id"], "item_key"),
        ("fact_stock_movements", ["item_key", "stock_movement_key"], "stock_movement_key"),
        ("rpt_stock_position", ["item_key", "stock_position_key"], "stock_position_key"),
        ("rpt_stock_position", ["item_key", "tower_key"], None),
    ],
)
def test_the_own_key_of_a_mart_is_not_one_that_it_refers_to(
    mart: str, columns: list[str], key: str | None
) -> None:
    described = Mart(mart, None, 0, tuple(Column(name, "text", None) for name in columns))
    assert described.own_key == key
