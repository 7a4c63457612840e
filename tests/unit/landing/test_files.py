"""Landing files appear whole or not at all."""

from __future__ import annotations

import errno
import os
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, tzinfo
from pathlib import Path
from typing import NoReturn

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse import landing
from lakehouse.errors import LakehouseError
from lakehouse.landing import files
from lakehouse.settings import Settings, load

COLUMNS = (pa.field("item_id", pa.string()), pa.field("cost", pa.decimal128(12, 2)))


@pytest.fixture
def lake(tmp_path: Path) -> Settings:
    return load({"LAKEHOUSE_HOME": str(tmp_path)})


def table(generation: int, rows: int = 2) -> pa.Table:
    schema = landing.change_schema(COLUMNS)
    return landing.Delivery(generation, 7).table(
        schema, [pa.nulls(rows, field.type) for field in list(schema)[4:]], rows
    )


def hidden(lake: Settings) -> list[Path]:
    return [path for path in Path(lake.landing_uri).rglob("*") if path.name.startswith(".")]


def test_a_file_is_listed_under_its_name_once_it_is_whole(lake: Settings) -> None:
    with landing.new_file(lake, "erp", "items", landing.change_schema(COLUMNS)) as write:
        write(table(1))
        assert landing.list_files(lake) == []
        write(table(1, rows=3))
    landing.write_file(lake, "erp", "items", table(1))
    landing.write_file(lake, "bcb", "ptax", table(1))

    listed = landing.list_files(lake)
    assert [(file.source, file.entity) for file in listed] == [
        ("bcb", "ptax"),
        ("erp", "items"),
        ("erp", "items"),
    ]
    assert len(set(listed)) == 3
    for file in listed:
        assert re.fullmatch(r"\d{4}_\d\d_\d\d_\d{13}_\d+\.parquet", file.path.name)
    assert pq.read_metadata(listed[1].path).num_row_groups == 2
    assert pq.read_table(listed[1].path).num_rows == 5
    assert hidden(lake) == []


def test_a_file_that_fails_leaves_nothing(lake: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop() -> NoReturn:
        with landing.new_file(lake, "erp", "items", landing.change_schema(COLUMNS)) as write:
            write(table(1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()

    def full(_descriptor: int) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    landing.write_file(lake, "erp", "towers", table(1))
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LakehouseError, match="erp/items could not be written: No space left"):
        landing.write_file(lake, "erp", "items", table(1))
    assert [file.entity for file in landing.list_files(lake)] == ["towers"]
    assert hidden(lake) == []


def test_writers_of_the_same_moment_do_not_replace_each_other(
    lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Stopped:
            return cls(2026, 1, 1, tzinfo=tz)

    monkeypatch.setattr(files, "datetime", Stopped)
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(landing.write_file, lake, "erp", "items", table(1)) for _ in range(12)]
    for job in jobs:
        job.result()
    assert len(landing.list_files(lake)) == 12
    assert hidden(lake) == []


def test_what_a_killed_writer_left_is_ignored_and_removed(lake: Settings) -> None:
    landing.write_file(lake, "erp", "items", table(1))
    folder = Path(lake.landing_uri) / "erp" / "items"
    (folder / ".abc.unfinished").write_bytes(b"PAR1")
    (folder / ".abc.parquet").write_bytes(b"PAR1")
    before = landing.list_files(lake)
    assert len(before) == 1
    landing.remove_unfinished(lake, "erp")
    assert [path.name for path in hidden(lake)] == [".abc.parquet"]
    assert landing.list_files(lake) == before


def test_the_last_generation_is_what_was_delivered_whatever_else_lies_there(lake: Settings) -> None:
    assert landing.last_generation(lake, "erp") == 0
    for generation in (3, 12, 9):
        landing.write_file(lake, "erp", "items", table(generation))
    landing.write_file(lake, "other", "items", table(40))
    folder = Path(lake.landing_uri) / "erp" / "items"
    (folder / "foreign.parquet").write_bytes(b"not Parquet at all")
    pq.write_table(pa.table({"a": [99]}), folder / "other.parquet")
    assert landing.last_generation(lake, "erp") == 12
