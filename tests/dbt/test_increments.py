"""The warehouse is a cache of bronze: however the changes came, the marts are the same."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from lakehouse import duck
from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings
from lakehouse.transform import mart_hashes, ranges, rebuild, steps
from tests.dbt.made_up_erp import Erp
from tests.dbt.written_bronze import Row, deliver, start_anew

Delivery = Sequence[tuple[str, Row]]


@pytest.mark.long
def test_what_comes_late_is_as_if_it_had_not(models_lake: Settings) -> None:
    erp = Erp(random.Random(1))
    erp.live(transactions=200)

    start_anew(models_lake)
    late = erp.stragglers()
    deliver(models_lake, _by_table([entry for entry in erp.log if entry not in late]))
    _build(models_lake)
    deliver(models_lake, _by_table(late))
    _fail_in_the_middle(models_lake)
    _build(models_lake)
    assert _current(models_lake) == _held_by(erp)
    hashes, vault = mart_hashes(models_lake), _vault_rows(models_lake)

    _execute(models_lake, "update marts.fact_stock_movements set quantity = quantity + 1")
    differ = "^fact_stock_movements differ after the rebuild"
    with pytest.raises(LakehouseError, match=differ) as replaced:
        rebuild(models_lake, run_id="rebuild")
    assert replaced.value.exit_status == 1
    assert mart_hashes(models_lake) == hashes
    assert _vault_rows(models_lake) == vault


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 6))
def test_any_order_of_deliveries_gives_the_same_marts(models_lake: Settings, seed: int) -> None:
    erp = Erp(random.Random(seed))
    erp.live(transactions=200)
    start_anew(models_lake)
    deliver(models_lake, _by_table(erp.log))
    _build(models_lake)
    assert _current(models_lake) == _held_by(erp)
    hashes = mart_hashes(models_lake)

    start_anew(models_lake)
    for batch in _cut(erp.shuffled(), 5):
        deliver(models_lake, _by_table(batch))
        _build(models_lake)
    assert mart_hashes(models_lake) == hashes


def _build(settings: Settings) -> None:
    steps.dbt_run(settings, run_id="build")
    assert ranges.advance(settings)


def _fail_in_the_middle(settings: Settings) -> None:
    """Vault and dimensions are built, the fact is not; the range must start where it did."""
    _execute(settings, "alter table marts.fact_stock_movements rename note to remark")
    with pytest.raises(LakehouseError, match="dbt model fact_stock_movements failed: .*note"):
        steps.dbt_run(settings, run_id="fails")
    assert not ranges.advance(settings)
    _execute(settings, "alter table marts.fact_stock_movements rename remark to note")


def _execute(settings: Settings, statement: str) -> None:
    with duck.warehouse(settings) as connection:
        connection.execute(statement)


def _cut(log: Delivery, batches: int) -> list[Delivery]:
    size = len(log) // batches + 1
    return [log[start : start + size] for start in range(0, len(log), size)]


def _by_table(delivery: Delivery) -> dict[str, list[Row]]:
    tables: dict[str, list[Row]] = {}
    for table, row in delivery:
        tables.setdefault(table, []).append(row)
    return tables


def _current(settings: Settings) -> dict[str, Any]:
    """What the marts say is there now."""
    with duck.warehouse(settings) as connection:
        items = connection.execute(
            "select item_id, item_name, unit_cost_brl, description from marts.dim_items"
            " where is_current and not is_inferred and item_id is not null"
        ).fetchall()
        towers = connection.execute(
            "select tower_id, tower_name, tower_type, served_by_tower_id from marts.dim_towers"
            " where is_current and not is_inferred and tower_id is not null"
        ).fetchall()
        movements = connection.execute(
            "select stock_movement_id, item_id, quantity, moved_at::timestamp"
            " from marts.fact_stock_movements"
        ).fetchall()
        stock = connection.execute(
            "select item_id, tower_id, quantity_on_hand, stock_difference"
            " from marts.rpt_stock_position where erp_current_stock is not null"
        ).fetchall()
        demand = connection.execute(
            "select item_id, tower_id, store_tower_id, demand_date, request_count,"
            " requested_quantity from marts.fact_demand"
        ).fetchall()
        orders = connection.execute(
            "select order_id, received_quantity from marts.fact_orders"
        ).fetchall()
    return {
        "items": set(items),
        "towers": set(towers),
        "movements": set(movements),
        "stock": set(stock),
        "demand": set(demand),
        "orders": set(orders),
    }


def _held_by(erp: Erp) -> dict[str, Any]:
    """The same from the ERP's own memory."""
    item = ("item_name", "unit_cost_brl", "description")
    tower = ("tower_name", "tower_type", "served_by_tower_id")
    return {
        "items": {(key, *(row[name] for name in item)) for key, row in erp.items.items()},
        "towers": {(key, *(row[name] for name in tower)) for key, row in erp.towers.items()},
        "movements": {
            (key, row["item_id"], row["quantity"], row["moved_at"].replace(tzinfo=None))
            for key, row in erp.movements.items()
        },
        "stock": {(*pair, stock, 0) for pair, stock in erp.inventory.items()},
        "demand": erp.requests.demand(),
        "orders": erp.business.deliveries(),
    }


def _vault_rows(settings: Settings) -> list[Any]:
    with duck.warehouse(settings) as connection:
        tables = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'vault'"
            " order by 1"
        ).fetchall()
        return [connection.execute(f"select count(*) from vault.{t}").fetchall() for (t,) in tables]
