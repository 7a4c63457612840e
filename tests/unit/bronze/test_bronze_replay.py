"""What was refused comes back once it fits: each row once, and nothing is taken from the record."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lakehouse import bronze
from lakehouse.bronze import loading, replay
from lakehouse.bronze.contract import Contract
from lakehouse.bronze.tables import Table
from lakehouse.bronze.verify.conservation import check
from lakehouse.bronze.waiting import waiting
from lakehouse.cli.commands import main
from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings, export
from tests.unit.bronze.landed import (
    MOVEMENTS,
    VOLATILE,
    batches,
    in_bronze,
    in_quarantine,
    movement,
    put,
    table,
    without,
)

[MOVEMENT] = [one for one in bronze.contracts() if one.entity == "stock_movements"]
URI = "erp/stock_movements"
Mend = Callable[[], None]


def contract(**nullable: bool) -> Contract:
    columns = [
        replace(column, nullable=nullable.get(column.name, column.nullable))
        for column in MOVEMENT.columns
    ]
    return replace(MOVEMENT, columns=tuple(columns))


@pytest.fixture
def mend(monkeypatch: pytest.MonkeyPatch) -> Mend:
    """Begin with a contract that is too strict; what is given back mends it."""
    use = {"one": contract(note=False)}
    for module in (loading, replay):
        monkeypatch.setattr(module, "contracts", lambda: (use["one"],))
    return lambda: use.update(one=MOVEMENT)


def deliver(lake: Settings) -> None:
    rows = [movement(1), movement(2, note=None), movement(3, note=None, quantity=None)]
    put(lake, table([*rows, movement(4, note=None)]), "a")
    put(lake, table([movement(5, note=None)]), "b")
    bronze.load(lake)


def test_what_fits_by_now_comes_back_once(lake: Settings, mend: Mend) -> None:
    deliver(lake)
    assert len(in_bronze(lake)) == 1
    kept = without(in_quarantine(lake), ())
    assert replay.replay(lake) == replay.Replayed(0, 0, 4, 0, {})
    mend()

    done = replay.replay(lake)

    assert done == replay.Replayed(3, 0, 1, 0, {URI: 3})
    expected = Settings(**{**vars(lake), "lake_uri": f"{lake.lake_uri}/other"})
    deliver(expected)
    assert without(in_bronze(lake), VOLATILE) == without(in_bronze(expected), VOLATILE)
    assert [(row["_source_file"][-9:], row["_source_row"]) for row in in_bronze(lake)] == [
        ("a.parquet", 1),
        ("a.parquet", 2),
        ("a.parquet", 4),
        ("b.parquet", 1),
    ]
    assert batches(lake) == [1, 2]
    assert not kept - without(in_quarantine(lake), ())
    [left] = waiting(lake)
    assert (left.rows, left.reason) == (1, "quantity is null, and may not be")
    assert left.example is not None
    assert '"stock_movement_id": 3' in left.example
    assert replay.replay(lake).released_rows == 0
    assert len(in_bronze(lake)) == 4


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


def test_a_table_that_is_loaded_anew_has_what_was_released_before(
    lake: Settings, mend: Mend
) -> None:
    deliver(lake)
    mend()
    replay.replay(lake)
    before = without(in_bronze(lake), VOLATILE)
    shutil.rmtree(Path(lake.bronze_uri, URI))

    bronze.load(lake)
    replay.replay(lake)

    assert without(in_bronze(lake), VOLATILE) == before
    assert [one.rows for one in waiting(lake)] == [1]
    assert [one for one in check(lake) if one.problems] == []


def test_a_file_kept_whole_by_a_killed_load_comes_back_once(
    lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(lake, table([movement(1), movement(2)]), "a")
    with monkeypatch.context() as patch:
        patch.setattr("pyarrow.parquet.ParquetFile", _unreadable)
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
        patch.setattr("pyarrow.parquet.ParquetFile", _unreadable)
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
        patch.setattr("pyarrow.parquet.ParquetFile", _unreadable)
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


def test_a_file_comes_back_once_the_reader_can_read_it(
    lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(lake, table([movement(1), movement(2, item_id=None), movement(3)]), "a")
    with monkeypatch.context() as patch:
        patch.setattr("pyarrow.parquet.ParquetFile", _unreadable)
        assert bronze.load(lake).quarantined_files == 1
    put(lake, b"never to be read", "b")
    bronze.load(lake)

    done = replay.replay(lake)

    assert (done.released_files, done.waiting_files, done.waiting_rows) == (1, 1, 1)
    assert [(row["stock_movement_id"], row["_source_row"]) for row in in_bronze(lake)] == [
        (1, 1),
        (3, 3),
    ]
    again = replay.replay(lake)
    assert (again.released_files, again.released_rows) == (0, 0)
    assert len(in_bronze(lake)) == 2


def test_every_value_of_a_refused_row_comes_back_exactly(lake: Settings, mend: Mend) -> None:
    whole = movement(2**53 + 1, note=None, item_id='ção "\\', _cdc_unchanged="|movement_type|")
    put(lake, table([whole, movement(1, note="first")]), "a")
    bronze.load(lake)
    mend()
    replay.replay(lake)
    other = Settings(**{**vars(lake), "lake_uri": f"{lake.lake_uri}/other"})
    put(other, table([whole, movement(1, note="first")]), "a")
    bronze.load(other)
    assert without(in_bronze(lake), VOLATILE) == without(in_bronze(other), VOLATILE)


def test_the_same_name_with_another_content_is_another_file(lake: Settings, mend: Mend) -> None:
    put(lake, table([movement(1, note=None)]), "a")
    bronze.load(lake)
    put(lake, table([movement(2)]), "a")
    bronze.load(lake)
    mend()
    assert replay.replay(lake).released_rows == 1
    assert sorted(row["stock_movement_id"] for row in in_bronze(lake)) == [1, 2]


def test_a_new_column_is_known_by_the_time_of_the_replay(lake: Settings, mend: Mend) -> None:
    wider = MOVEMENTS.append(pa.field("lot", pa.string()))
    put(lake, table([movement(1, lot="L7", note=None)], wider), "a")
    bronze.load(lake)
    mend()
    replay.replay(lake)
    assert [row["lot"] for row in in_bronze(lake)] == ["L7"]


def test_the_list_names_file_reason_and_first_example(
    lake: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(lake, table([movement(n, note="\0") for n in (1, 2)]), "a")
    put(lake, b"no parquet", "b")
    bronze.load(lake)
    for name, value in export(lake).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        main(["bronze", "quarantine", "list", "--json"])
    data = json.loads(capsys.readouterr().out)
    assert (data["rows"], data["files"]) == (2, 1)
    rows, whole = sorted(data["waiting"], key=lambda one: one["source_file"])
    assert Path(rows["source_file"]).name == "a.parquet"
    assert (rows["rows"], rows["reason"]) == (2, "note holds a NUL character")
    assert '"stock_movement_id": 1' in rows["example"]
    assert (whole["rows"], whole["example"]) == (0, None)
    with pytest.raises(SystemExit):
        main(["bronze", "quarantine", "list"])
    assert "2 rows" in capsys.readouterr().out


def _unreadable(*_: object, **__: object) -> None:
    raise pa.ArrowInvalid("not understood yet")
