"""A transaction is composed as SQL that PostgreSQL reads as what was meant."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import Any, cast

import pytest

from lakehouse.erp import master_data, paperwork
from lakehouse.erp.transaction import Transaction, amount, literal
from lakehouse.erp.world import Shelf, World

NOON = datetime(2025, 3, 5, 15, 0, 0, 250000, UTC)


class Recorder:
    """A cursor that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def execute(self, sql: str) -> None:
        self.told.append(sql)


def transaction() -> tuple[Transaction, Recorder]:
    recorder = Recorder()
    tx = Transaction(cast("Any", recorder), World(1, 41), NOON, Random(1))
    return tx, recorder


@pytest.mark.parametrize(
    ("value", "sql"),
    [
        (None, "null"),
        (True, "true"),
        (7, "7"),
        (amount(-1250), "-1.250"),
        (Decimal("19.90"), "19.90"),
        (date(2025, 3, 5), "'2025-03-05'::date"),
        (NOON, "'2025-03-05T15:00:00.250000+00:00'::timestamptz"),
        ("D'ÁGUA \\ {0} %s", "'D''ÁGUA \\ {0} %s'"),
    ],
)
def test_a_value_is_written_as_sql(value: object, sql: str) -> None:
    assert literal(value) == sql


def test_a_movement_changes_its_stock_in_the_same_transaction() -> None:
    tx, recorder = transaction()
    key = ("010825", "BAFRD017")
    tx.world.add_shelf(key, Shelf(5000, 5000, 1000, 9000))
    assert tx.move("issue", key, -2000, NOON, "urgente") == 42
    tx.commit("update demo.state set step = 1")
    [sql] = recorder.told
    statements = sql.split(";\n")
    assert statements[0] == "begin"
    assert "lakehouse.clock', '2025-03-05T15:00:00.250Z'" in statements[1]
    assert "insert into public.stock_movements values (42, '010825'" in statements[2]
    assert "-2.000" in statements[3]
    assert statements[4:] == ["update demo.state set step = 1", "commit"]
    assert tx.world.shelves[key].stock == 3000


def test_what_is_rolled_back_is_remembered_as_lived_all_the_same() -> None:
    tx, recorder = transaction()
    paperwork.abandon(tx, master_data.cell(1, 0.1, 0))
    tx.commit("update demo.state set step = 9", is_rolled_back=True)
    statements = recorder.told[0].split(";\n")
    assert statements[-4:] == ["rollback", "begin", "update demo.state set step = 9", "commit"]
    assert tx.world.last_movement_id == 41


def test_going_back_to_a_savepoint_leaves_only_what_was_done_after_it() -> None:
    tx, _ = transaction()
    paperwork.hesitate(tx, master_data.cell(1, 0.1, 0))
    kinds = [statement.split(" public")[0].split("'")[0] for statement in tx.statements]
    assert kinds == [
        *("savepoint first", "update", "rollback to savepoint first"),
        *("savepoint second", "update", "release savepoint second"),
    ]
