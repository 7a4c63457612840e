"""What cannot be staged is told before anything is copied."""

from __future__ import annotations

import duckdb
import pytest

from lakehouse import publish
from lakehouse.errors import LakehouseError
from lakehouse.publish.marts import Column, Mart
from lakehouse.settings import Settings


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        (None, ["there is no warehouse", "warehouse.duckdb"]),
        ("create schema marts", ["has no mart", "nothing to publish"]),
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


def mart(name: str, *columns: str, primary_key: tuple[str, ...] = ()) -> Mart:
    """A mart whose columns are dates by their name, and text else."""
    described = [
        Column(column, "date" if column.endswith("_date") else "text", False, None)
        for column in columns
    ]
    return Mart(name, None, 0, tuple(described), primary_key)


@pytest.mark.parametrize(
    ("described", "key"),
    [
        (mart("dim_items", "item_key", "item_id"), ("item_key",)),
        (mart("dim_items", "item_key", "item_id", primary_key=("item_id",)), ("item_id",)),
    ],
)
def test_the_own_key_of_a_mart_is_the_declared_one_or_its_first_column(
    described: Mart, key: tuple[str, ...]
) -> None:
    assert described.own_key == key


def test_foreign_keys_and_the_series_of_an_item_are_indexed() -> None:
    marts = [
        mart("dim_items", "item_key", "item_id", "valid_date"),
        mart("dim_towers", "tower_key", "tower_id"),
        mart("fact_inventory", "inventory_key", "item_key", "item_id", "inventory_date", "a_date"),
        mart("rpt_stock_position", "item_key", "tower_key", primary_key=("item_key", "tower_key")),
        mart("fact_demand", "demand_key", "store_tower_key", "another_key"),
        mart("rpt_of_items", "item_id", "item_key", primary_key=("item_key",)),
    ]
    assert {each.name: list(each.indexes(marts)) for each in marts} == {
        "dim_items": [],
        "dim_towers": [],
        "fact_inventory": [("item_key",), ("item_id", "inventory_date")],
        "rpt_stock_position": [("tower_key",)],
        "fact_demand": [("store_tower_key",)],
        "rpt_of_items": [],
    }
