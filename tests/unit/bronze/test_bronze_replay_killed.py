"""A load or a replay that was killed, and replayed: each row comes once, and none is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lakehouse import bronze
from lakehouse.bronze import loading, replay
from lakehouse.bronze.tables import Table
from lakehouse.bronze.verify.conservation import check
from lakehouse.bronze.waiting import waiting
from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings
from tests.unit.bronze.landed import in_bronze, in_quarantine, movement, put, table
from tests.unit.bronze.refused import URI, Mend, contract, deliver, unreadable


class KilledError(BaseException):
    """Ends a replay as a kill would: nobody catches it."""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", [1, 2])
def test_a_killed_replay_is_completed_by_the_next(
    lake: Settings, mend: Mend, monkeypatch: pytest.MonkeyPatch, at: int, when: str
) -> None:
    deliver(lake)
    mend()
    with monkeypatch.context() as patch:
        plain, seen = Table.commit, [0]

        def commit(*given: Any) -> None:
            seen[0] += 1
            if seen[0] == at and when == "before":
                raise KilledError
            plain(*given)
            if seen[0] == at:
                raise KilledError

        patch.setattr(Table, "commit", commit)
        with pytest.raises(KilledError):
            replay.replay(lake)

    replay.replay(lake)

    numbers = sorted(row["stock_movement_id"] for row in in_bronze(lake))
    assert numbers == [1, 2, 4, 5]
    assert [one.rows for one in waiting(lake)] == [1]


# Which columns may be null by now: note might not when the load was killed, and tower_id might.
MENDED = {
    "laxer": {"note": True, "tower_id": True},
    "the same": {"note": False, "tower_id": True},
    "stricter": {"note": False, "tower_id": False},
    "another": {"note": True, "tower_id": False},
}


@pytest.mark.parametrize("first", ["load", "replay"])
@pytest.mark.parametrize("mended", MENDED)
def test_a_load_killed_before_bronze_has_it_gives_each_row_once(
    lake: Settings, monkeypatch: pytest.MonkeyPatch, mended: str, first: str
) -> None:
    use = {"one": contract(**MENDED["the same"])}
    for module in (loading, replay):
        monkeypatch.setattr(module, "contracts", lambda: (use["one"],))
    rows = [movement(1), movement(2, note=None), movement(3, item_id=None)]
    put(lake, table([*rows, movement(4, tower_id=None)]), "a")
    _killed_at_bronze(monkeypatch, lambda: bronze.load(lake))
    assert [row["source_row"] for row in in_quarantine(lake)] == [2, 3]
    use.update(one=contract(**MENDED[mended]))
    if first == "replay":
        assert replay.replay(lake).released_rows == 0

    bronze.load(lake)
    replay.replay(lake)

    fits = {2: MENDED[mended]["note"], 4: MENDED[mended]["tower_id"]}
    taken = [1, *(number for number, does in fits.items() if does)]
    assert [row["stock_movement_id"] for row in in_bronze(lake)] == taken
    assert sum(one.rows for one in waiting(lake)) == 4 - len(taken)
    assert [one for one in check(lake) if one.problems] == []
    use.update(one=contract(**MENDED["laxer"]))
    replay.replay(lake)
    assert [row["stock_movement_id"] for row in in_bronze(lake)] == [1, 2, 4]
    assert [one for one in check(lake) if one.problems] == []


def test_a_file_kept_whole_by_a_killed_load_comes_back_once(
    lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(lake, table([movement(1), movement(2)]), "a")
    with monkeypatch.context() as patch:
        patch.setattr("pyarrow.parquet.ParquetFile", unreadable)
        _killed_at_bronze(monkeypatch, lambda: bronze.load(lake))

    assert bronze.load(lake).quarantined_files == 1
    assert replay.replay(lake).released_files == 1

    assert [row["stock_movement_id"] for row in in_bronze(lake)] == [1, 2]
    assert replay.replay(lake).waiting_files == 0


def test_rows_that_a_killed_replay_refused_anew_come_back_once(
    lake: Settings, mend: Mend, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(lake, table([movement(1), movement(2, note=None)]), "a")
    with monkeypatch.context() as patch:
        patch.setattr("pyarrow.parquet.ParquetFile", unreadable)
        bronze.load(lake)
    _killed_at_bronze(monkeypatch, lambda: replay.replay(lake))
    mend()

    for _ in range(2):
        replay.replay(lake)

    assert [row["stock_movement_id"] for row in in_bronze(lake)] == [1, 2]
    assert waiting(lake) == []
    assert [one for one in check(lake) if one.problems] == []


def test_a_file_that_was_readable_once_is_named(
    lake: Settings, mend: Mend, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(lake, table([movement(1), movement(2, note=None)]), "a")
    _killed_at_bronze(monkeypatch, lambda: bronze.load(lake))
    with monkeypatch.context() as patch:
        patch.setattr("pyarrow.parquet.ParquetFile", unreadable)
        with pytest.raises(LakehouseError, match="could be read once, and now it cannot"):
            bronze.load(lake)
    mend()
    bronze.load(lake)
    replay.replay(lake)
    assert [row["stock_movement_id"] for row in in_bronze(lake)] == [1, 2]


def _killed_at_bronze(monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> None:
    """Do something until it would commit to the table itself."""
    plain = Table.commit

    def commit(self: Table, *given: Any) -> None:
        if self.uri.endswith(URI):
            raise KilledError
        plain(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(Table, "commit", commit)
        with pytest.raises(KilledError):
            do()
