"""Whoever writes a table slowly is not outrun: a load that comes meanwhile waits for its turn."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lakehouse import bronze
from lakehouse.bronze import loading, maintenance, policy, replay
from lakehouse.bronze.contract import Contract
from lakehouse.bronze.maintenance import COMPACTIONS
from lakehouse.bronze.tables import Table
from lakehouse.settings import Settings
from tests.unit.bronze.landed import in_bronze, movement, put, table

[MOVEMENT] = [one for one in bronze.contracts() if one.entity == "stock_movements"]
URI = "erp/stock_movements"


def strict() -> Contract:
    columns = [replace(one, nullable=False) for one in MOVEMENT.columns]
    return replace(MOVEMENT, columns=tuple(columns))


def compact(lake: Settings) -> None:
    [(name, one)] = [found for found in maintenance._tables(lake) if found[0] == URI]
    maintenance._maintain(name, one, dry_run=False)


@pytest.fixture
def loaded(lake: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Many small loads; what they refuse would fit by now."""
    with monkeypatch.context() as patch:
        patch.setattr(loading, "contracts", lambda: (strict(),))
        for number in range(policy.SMALL_PARTS):
            rows = [movement(number), movement(100 + number, note=None)]
            put(lake, table(rows), f"{number}")
            bronze.load(lake)
    monkeypatch.setattr(loading, "contracts", lambda: (MOVEMENT,))
    return lake


@pytest.mark.parametrize(
    ("slow", "own"), [(replay.replay, "/replay"), (compact, COMPACTIONS)], ids=["replay", "compact"]
)
def test_a_load_waits_for_its_turn(
    loaded: Settings, monkeypatch: pytest.MonkeyPatch, slow: Callable[[Settings], Any], own: str
) -> None:
    order: list[str] = []
    waits = threading.Event()
    plain, flock = Table.commit, fcntl.flock

    def load() -> None:
        bronze.load(loaded)
        waits.set()  # Without waiting, it would be over by now.

    other = threading.Thread(target=load)

    def locked(lock: int, how: int) -> None:
        if threading.current_thread() is other:
            waits.set()
        flock(lock, how)

    def commit(self: Table, actions: Any, ids: Any) -> None:
        is_slow = any(name.endswith(own) for name in ids)
        if is_slow and not order:
            order.append("slow begins")
            put(loaded, table([movement(999)]), "new")
            other.start()
            assert waits.wait(60)
        plain(self, actions, ids)
        if self.uri.endswith(URI):
            order.append("slow" if is_slow else "load")

    monkeypatch.setattr(fcntl, "flock", locked)
    monkeypatch.setattr(Table, "commit", commit)
    slow(loaded)
    other.join(60)

    assert order == ["slow begins", "slow", "load"]
    rows = policy.SMALL_PARTS * (2 if own == "/replay" else 1) + 1
    assert len(in_bronze(loaded)) == rows
