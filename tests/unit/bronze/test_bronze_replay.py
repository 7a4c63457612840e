"""What was refused comes back once it fits: each row once, and nothing is taken from the record."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from lakehouse import bronze
from lakehouse.bronze import replay
from lakehouse.bronze.verify.conservation import check
from lakehouse.bronze.waiting import waiting
from lakehouse.cli.commands import main
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
from tests.unit.bronze.refused import URI, Mend, deliver, unreadable


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


def test_a_file_comes_back_once_the_reader_can_read_it(
    lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(lake, table([movement(1), movement(2, item_id=None), movement(3)]), "a")
    with monkeypatch.context() as patch:
        patch.setattr("pyarrow.parquet.ParquetFile", unreadable)
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
