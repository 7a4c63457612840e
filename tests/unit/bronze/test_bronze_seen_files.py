"""A load reads only what is new, and what spares it the rest is never believed blindly."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from deltalake import DeltaTable

from lakehouse import bronze
from lakehouse.bronze import files
from lakehouse.bronze.files import File
from lakehouse.settings import Settings
from tests.unit.bronze.landed import in_bronze, movement, put, table

URI = "erp/stock_movements"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were read to know them."""
    names: list[str] = []
    plain = files.identified

    def identified(settings: Settings, path: Path) -> File:
        names.append(path.stem)
        return plain(settings, path)

    monkeypatch.setattr(files, "identified", identified)
    return names


@pytest.fixture
def loaded(lake: Settings, read: list[str]) -> Settings:
    for name, number in (("a", 1), ("b", 2), ("b-again", 2)):
        put(lake, table([movement(number)]), name)
    bronze.load(lake)
    read.clear()
    return lake


def memory(lake: Settings) -> Path:
    return Path(lake.bronze_uri, URI, "_landed.jsonl")


def numbers(lake: Settings) -> list[int]:
    return sorted(row["stock_movement_id"] for row in in_bronze(lake))


def test_only_new_files_are_read(loaded: Settings, read: list[str]) -> None:
    put(loaded, table([movement(3)]), "c")
    assert bronze.load(loaded).rows == 1
    assert read == ["c"]
    read.clear()
    bronze.load(loaded)
    assert read == []
    assert numbers(loaded) == [1, 2, 3]


def test_only_the_named_tables_are_looked_at(loaded: Settings) -> None:
    put(loaded, table([movement(3)]), "c")
    assert bronze.load(loaded, entities=["erp/items"]).files == 0
    assert bronze.load(loaded, entities=[URI]).rows == 1


def test_another_content_under_a_known_name_is_read(loaded: Settings, read: list[str]) -> None:
    put(loaded, table([movement(77)]), "a")
    bronze.load(loaded)
    assert "a" in read
    assert numbers(loaded) == [1, 2, 77]


def _lost(lake: Settings) -> None:
    memory(lake).unlink()


def _torn(lake: Settings) -> None:
    with memory(lake).open("a") as out:
        out.write('[1, "/half')


def _of_a_later_table(lake: Settings) -> None:
    """The table is an older copy of itself, and its memory is not."""
    kept = memory(lake).read_text()
    uri = Path(lake.bronze_uri, URI)
    before = uri.with_name("before")
    shutil.copytree(uri, before)
    put(lake, table([movement(3)]), "c")
    bronze.load(lake)
    later = memory(lake).read_text()
    assert later != kept
    shutil.rmtree(uri)
    before.rename(uri)
    memory(lake).write_text(later)


@pytest.mark.parametrize("damage", [_lost, _torn, _of_a_later_table])
def test_a_memory_that_is_lost_or_wrong_loses_nothing(
    loaded: Settings, damage: Callable[[Settings], None]
) -> None:
    damage(loaded)
    if not Path(loaded.landing_uri, URI, "c.parquet").exists():
        put(loaded, table([movement(3)]), "c")
    bronze.load(loaded)
    assert numbers(loaded) == [1, 2, 3]


def test_a_table_that_was_removed_is_made_again_from_landing(loaded: Settings) -> None:
    uri = Path(loaded.bronze_uri, URI)
    shutil.rmtree(uri)
    assert bronze.load(loaded).rows == 2
    assert numbers(loaded) == [1, 2]
    assert DeltaTable(str(uri)).metadata().partition_columns == ["_load_date"]
