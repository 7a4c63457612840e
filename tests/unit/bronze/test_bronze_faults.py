"""Loads that are killed, raced or disturbed end as if nothing had happened."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from lakehouse import bronze
from lakehouse.bronze.parts import Part
from lakehouse.bronze.tables import Table
from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings
from tests.unit.bronze.landed import (
    VOLATILE,
    batches,
    in_bronze,
    in_quarantine,
    movement,
    put,
    table,
    without,
)


class KilledError(BaseException):
    """Ends a load as a kill would: nobody catches it."""


def _deliver(lake: Settings) -> None:
    put(lake, b"no parquet", "0", "erp/items")
    put(lake, table([movement(1), movement(2, note="\0")]), "1")
    put(lake, table([movement(3)]), "2")


def _state(lake: Settings) -> tuple[Counter[str], Counter[str]]:
    return without(in_bronze(lake), VOLATILE), without(in_quarantine(lake), VOLATILE)


def _interrupt(monkeypatch: pytest.MonkeyPatch, at: int, do: Callable[[], None], when: str) -> None:
    """Do something once: before or after commit number `at`, or once that many parts are whole."""
    seen: list[str] = []

    def counted(plain: Callable[..., Any], *, first: bool) -> Callable[..., Any]:
        def replaced(*given: Any, **named: Any) -> Any:
            seen.append("")
            is_now = len(seen) == at
            if is_now and first:
                do()
            result = plain(*given, **named)
            if is_now and not first:
                do()
            return result

        return replaced

    if when == "in":
        monkeypatch.setattr(Part, "finish", counted(Part.finish, first=False))
    else:
        monkeypatch.setattr(Table, "commit", counted(Table.commit, first=when == "before"))


def _kill() -> None:
    raise KilledError


@pytest.fixture
def undisturbed(lake: Settings) -> tuple[Counter[str], Counter[str]]:
    other = Settings(**{**vars(lake), "lake_uri": f"{lake.lake_uri}/undisturbed"})
    _deliver(other)
    bronze.load(other)
    bronze_rows, quarantined = _state(other)
    assert (sum(bronze_rows.values()), sum(quarantined.values())) == (2, 2)
    return bronze_rows, quarantined


# Commits: quarantine and bronze of items, then quarantine and bronze of stock_movements; parts
# become whole in the same number, bronze first.
@pytest.mark.parametrize("when", ["before", "in", "after"])
@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_a_killed_load_is_completed_by_the_next(
    lake: Settings,
    monkeypatch: pytest.MonkeyPatch,
    undisturbed: tuple[Counter[str], Counter[str]],
    at: int,
    when: str,
) -> None:
    _deliver(lake)
    with monkeypatch.context() as patch:
        _interrupt(patch, at, _kill, when)
        with pytest.raises(KilledError):
            bronze.load(lake)

    bronze.load(lake)

    assert _state(lake) == undisturbed
    assert batches(lake) == [1]
    assert bronze.load(lake).files == 0


@pytest.mark.parametrize("when", ["before", "in"])
@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_of_two_loads_at_once_each_file_is_taken_by_one(
    lake: Settings,
    monkeypatch: pytest.MonkeyPatch,
    undisturbed: tuple[Counter[str], Counter[str]],
    at: int,
    when: str,
) -> None:
    _deliver(lake)
    with monkeypatch.context() as patch:
        _interrupt(patch, at, lambda: _ignore(bronze.load(lake)), when)
        bronze.load(lake)

    assert _state(lake) == undisturbed
    assert _unused_parts(lake) == []


def test_two_loads_of_other_files_never_share_a_batch(
    lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(lake, table([movement(1)]), "1")

    def another() -> None:
        put(lake, table([movement(2)]), "2")
        first = Path(lake.landing_uri, "erp/stock_movements/1.parquet")
        hidden = first.rename(first.with_name(".1"))
        bronze.load(lake)
        hidden.rename(first)

    with monkeypatch.context() as patch:
        _interrupt(patch, 1, another, "in")
        bronze.load(lake)

    assert {row["stock_movement_id"]: row["_batch_id"] for row in in_bronze(lake)} == {1: 2, 2: 1}


def test_a_file_that_changes_while_it_is_read_is_not_taken(
    lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(lake, table([movement(1)]), "1")

    def replace() -> None:
        put(lake, table([movement(1), movement(2)]), "1")

    with monkeypatch.context() as patch:
        plain = pq.ParquetFile.iter_batches

        def slow(*given: Any, **named: Any) -> Iterator[Any]:
            replace()
            yield from plain(*given, **named)

        patch.setattr(pq.ParquetFile, "iter_batches", slow)
        with pytest.raises(LakehouseError, match="1.parquet changed while it was read"):
            bronze.load(lake)
    assert in_bronze(lake) == []


def test_a_disk_that_fails_in_the_middle_of_a_file_is_not_the_files_fault(
    lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(lake, table([movement(1)]), "1")

    def fails(*_: Any, **__: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(pq.ParquetFile, "iter_batches", fails)
        with pytest.raises(LakehouseError, match="1.parquet cannot be read: Input/output error"):
            bronze.load(lake)
    assert (in_bronze(lake), in_quarantine(lake)) == ([], [])
    assert bronze.load(lake).rows == 1


def test_a_table_that_cannot_be_written_is_named(lake: Settings) -> None:
    bronze.load(lake)
    put(lake, table([movement(1)]), "1")
    today = datetime.now(UTC).date()
    for day in (today, today + timedelta(days=1)):
        Path(bronze.table_uri(lake, "erp", "stock_movements"), f"_load_date={day}").touch()
    with pytest.raises(LakehouseError, match="stock_movements cannot be written"):
        bronze.load(lake)


@pytest.mark.parametrize("name", ["erp/stock_movements", "_quarantine"])
def test_a_commit_whose_checkpoint_fails_keeps_its_rows(lake: Settings, name: str) -> None:
    bronze.load(lake)
    uri = f"{lake.bronze_uri}/{name}"
    DeltaTable(uri).alter.set_table_properties({"delta.checkpointInterval": "1"})
    _block_checkpoints(uri)
    _deliver(lake)

    bronze.load(lake)

    assert [row["stock_movement_id"] for row in in_bronze(lake)] == [1, 3]
    assert len(in_quarantine(lake)) == 2
    assert bronze.load(lake).files == 0


def test_a_commit_that_fails_and_is_not_there_is_named(
    lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    bronze.load(lake)
    put(lake, table([movement(1)]), "1")

    def fails(*_: Any, **__: Any) -> None:
        raise DeltaError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(DeltaTable, "create_write_transaction", fails)
        with pytest.raises(LakehouseError, match="cannot be written: the disk is gone"):
            bronze.load(lake)

    assert in_bronze(lake) == []
    assert bronze.load(lake).rows == 1


def _block_checkpoints(uri: str) -> None:
    """Put folders in the places of the next checkpoints."""
    version = DeltaTable(uri).version()
    for number in range(version + 1, version + 10):
        place = Path(uri, "_delta_log", f"{number:020d}.checkpoint.parquet")
        place.mkdir()
        (place / "in the way").touch()


def _unused_parts(lake: Settings) -> list[str]:
    """Parts that no commit speaks of."""
    unused: list[str] = []
    for entity in ("erp/items", "erp/stock_movements", "_quarantine"):
        folder = f"{lake.bronze_uri}/{entity}"
        unused += DeltaTable(folder).vacuum(
            retention_hours=0, enforce_retention_duration=False, full=True
        )
    return unused


def _ignore(_: object) -> None:
    """Two loads race for what they do, not for what they say."""
