"""Maintenance changes no row and no memory, and leaves readers what they read."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from lakehouse import bronze
from lakehouse.bronze import maintenance, policy
from lakehouse.bronze.maintenance import Maintained, maintain
from lakehouse.bronze.tables import Table
from lakehouse.bronze.verify.conservation import check
from lakehouse.settings import Settings
from tests.unit.bronze.landed import (
    MOVEMENTS,
    batches,
    in_bronze,
    in_quarantine,
    movement,
    put,
    table,
    without,
)

URI = "erp/stock_movements"
LOADS = policy.SMALL_PARTS + 2


def uri(lake: Settings) -> str:
    return bronze.table_uri(lake, "erp", "stock_movements")


@pytest.fixture
def loaded(lake: Settings) -> Settings:
    """Many small loads, and something refused in each."""
    for number in range(LOADS):
        rows = [movement(10 * number + n, note="\0" if n == 2 else "") for n in range(3)]
        put(lake, table(rows), f"{number:02d}")
        bronze.load(lake)
    return lake


def rows(lake: Settings) -> tuple[Counter[str], Counter[str]]:
    return without(in_bronze(lake), ()), without(in_quarantine(lake), ())


def done(lake: Settings, *, dry_run: bool = False) -> Maintained:
    [(name, one)] = [found for found in maintenance._tables(lake) if found[0] == URI]
    return maintenance._maintain(name, one, dry_run=dry_run)


def age(path: Path, days: float) -> None:
    old = time.time() - days * 86_400
    os.utime(path, (old, old))


def parts(lake: Settings) -> set[str]:
    return {path.name for path in Path(uri(lake)).glob("_load_date=*/*.parquet")}


def test_small_parts_become_one_and_rows_stay(loaded: Settings) -> None:
    before, old = rows(loaded), DeltaTable(uri(loaded))
    assert done(loaded, dry_run=True).compacted_parts == LOADS
    assert DeltaTable(uri(loaded)).version() == old.version()

    did = done(loaded)

    assert (did.compacted_parts, did.into_parts, did.removed_files) == (LOADS, 1, 0)
    assert rows(loaded) == before
    assert batches(loaded) == list(range(1, LOADS + 1))
    now = DeltaTable(uri(loaded))
    assert len(now.file_uris()) == 1
    actions = pa.table(now.get_add_actions(flatten=True)).to_pylist()
    assert (actions[0]["min._batch_id"], actions[0]["max._batch_id"]) == (1, LOADS)
    # Who opened the table before still reads it, and time travel does.
    assert old.to_pyarrow_table().num_rows == 2 * LOADS
    assert DeltaTable(uri(loaded), version=3).to_pyarrow_table().num_rows == 2 * 3
    assert all(not one.problems for one in check(loaded))
    assert done(loaded).compacted_parts == 0
    put(loaded, table([movement(999)]), "new")
    assert bronze.load(loaded).tables[URI].batch_id == LOADS + 1


def test_what_no_reader_can_need_is_removed(loaded: Settings) -> None:
    done(loaded)
    before, live = rows(loaded), {Path(one).name for one in DeltaTable(uri(loaded)).file_uris()}
    folder = next(Path(uri(loaded)).glob("_load_date=*"))
    young, orphan = folder / "part-young.parquet", folder / "part-orphan.parquet"
    unfinished = Path(uri(loaded), "_delta_log", ".killed.unfinished")
    for path in (young, orphan, unfinished):
        path.write_bytes(b"PAR1")
    age(young, policy.KEPT_DAYS - 1)
    for path in (orphan, unfinished):
        age(path, policy.KEPT_DAYS + 1)
    assert done(loaded, dry_run=True).removed_files == 2

    assert done(loaded).removed_files == 2

    assert parts(loaded) >= live | {young.name}
    assert orphan.name not in parts(loaded)
    assert not unfinished.exists()
    assert rows(loaded) == before


def test_removed_parts_go_when_their_time_is_over(
    loaded: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    done(loaded)
    before = rows(loaded)
    delta = DeltaTable(uri(loaded))
    delta.alter.set_table_properties({"delta.deletedFileRetentionDuration": "interval 0 seconds"})
    monkeypatch.setattr(policy, "KEPT_DAYS", 0)
    time.sleep(0.01)
    assert done(loaded).removed_files >= LOADS
    assert len(parts(loaded)) == 1
    assert rows(loaded) == before


def test_a_file_is_known_after_the_log_was_cleaned(loaded: Settings) -> None:
    before = rows(loaded)
    delta = DeltaTable(uri(loaded))
    delta.alter.set_table_properties({"delta.logRetentionDuration": "interval 0 seconds"})
    log = Path(uri(loaded), "_delta_log")
    for path in log.iterdir():
        age(path, 2)
    did = done(loaded)
    assert did.removed_commits > 0
    assert not (log / f"{1:020d}.json").exists()
    # Neither the names nor the cache may be what it is known by.
    Path(uri(loaded), "_landed.jsonl").unlink(missing_ok=True)
    for number, path in enumerate(sorted(Path(loaded.landing_uri, URI).iterdir())):
        path.rename(path.with_name(f"again-{number}.parquet"))

    assert bronze.load(loaded).files == 0

    assert rows(loaded) == before
    assert batches(loaded) == list(range(1, LOADS + 1))


def test_a_load_during_a_compaction_is_kept(
    loaded: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Table.commit
    wider = MOVEMENTS.append(pa.field("lot", pa.string()))

    def commit(self: Table, *given: Any) -> None:
        monkeypatch.setattr(Table, "commit", plain)
        put(loaded, table([movement(999, lot="L7")], wider), "new")
        bronze.load(loaded)
        plain(self, *given)

    monkeypatch.setattr(Table, "commit", commit)
    done(loaded)
    assert len(in_bronze(loaded)) == 2 * LOADS + 1
    assert [row["lot"] for row in in_bronze(loaded) if row["lot"]] == ["L7"]
    assert len(DeltaTable(uri(loaded)).file_uris()) == 1
    assert all(not one.problems for one in check(loaded))


def test_of_two_compactions_at_once_one_finds_nothing_to_do(
    loaded: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, plain = rows(loaded), Table.commit

    def commit(self: Table, *given: Any) -> None:
        monkeypatch.setattr(Table, "commit", plain)
        done(loaded)
        plain(self, *given)

    monkeypatch.setattr(Table, "commit", commit)
    done(loaded)
    assert rows(loaded) == before
    live = {Path(one).name for one in DeltaTable(uri(loaded)).file_uris()}
    assert len(live) == 1
    assert len(parts(loaded)) == LOADS + 1


class KilledError(BaseException):
    """Ends maintenance as a kill would."""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_maintenance_leaves_a_whole_table(
    loaded: Settings, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    before, plain = rows(loaded), Table.commit

    def commit(self: Table, *given: Any) -> None:
        if when == "after":
            plain(self, *given)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(Table, "commit", commit)
        with pytest.raises(KilledError):
            maintain(loaded, dry_run=False)
    assert rows(loaded) == before
    maintain(loaded, dry_run=False)
    assert rows(loaded) == before
    assert len(DeltaTable(uri(loaded)).file_uris()) == 1
