"""Rows that a contract is too strict for, and files that nobody can read: to be replayed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa

from lakehouse import bronze
from lakehouse.bronze.contract import Contract
from lakehouse.settings import Settings
from tests.unit.bronze.landed import movement, put, table

[MOVEMENT] = [one for one in bronze.contracts() if one.entity == "stock_movements"]
URI = "erp/stock_movements"
Mend = Callable[[], None]


def contract(**nullable: bool) -> Contract:
    """The movements' contract, but for which columns may be null."""
    columns = [
        replace(column, nullable=nullable.get(column.name, column.nullable))
        for column in MOVEMENT.columns
    ]
    return replace(MOVEMENT, columns=tuple(columns))


def deliver(lake: Settings) -> None:
    """Load two files: a good row, rows without a note, and one that lacks its quantity too."""
    rows = [movement(1), movement(2, note=None), movement(3, note=None, quantity=None)]
    put(lake, table([*rows, movement(4, note=None)]), "a")
    put(lake, table([movement(5, note=None)]), "b")
    bronze.load(lake)


def unreadable(*_: object, **__: object) -> None:
    """Stands in for a reader that cannot read."""
    raise pa.ArrowInvalid("not understood yet")
