"""The reader killed, cut off and overfed: it delivers again at most, and loses nothing."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import psycopg2
import pyarrow.parquet as pq
import pytest

from lakehouse import cdc, landing
from lakehouse.cdc import connection, copying, snapshot, state
from lakehouse.cdc import slot as slots
from lakehouse.erp import postgres
from lakehouse.errors import LakehouseError
from lakehouse.landing import files
from lakehouse.settings import PROJECT, Settings, export
from tests.integration.cdc_replay import (
    delivered,
    differences,
    execute,
    lake_on,
    slot,
    towers,
)
from tests.integration.processes import die_before

# One server a file, so one worker a file.
pytestmark = [pytest.mark.server, pytest.mark.xdist_group(__name__)]


@pytest.fixture
def erp(server: Settings) -> Iterator[Settings]:
    with lake_on(server) as settings:
        execute(settings, towers(1, 50))
        yield settings


IN_THE_SNAPSHOT = {
    "before the slot": lambda: die_before(slots, "create"),
    "before the slot is known": lambda: die_before(state, "save", 2),
    "before a range": lambda: die_before(copying.Copier, "rows"),
    "inside a file": lambda: die_before(files, "_publish"),
    "before the boundaries": lambda: die_before(snapshot, "land_boundaries"),
    "before the state": lambda: die_before(state, "save", 2),
}
IN_THE_STREAM = {
    "inside a file": lambda: die_before(files, "_publish"),
    "between two files": lambda: die_before(files, "_publish", 2),
    "before the state": lambda: die_before(state, "save"),
    "before the confirmation": lambda: die_before(connection.Erp, "confirm"),
}


def sync_and_die(settings: Settings, prepare: Callable[[], None]) -> None:
    """Run a sync in a process of its own that is killed where `prepare` says."""
    child = os.fork()
    if child == 0:
        try:
            prepare()
            cdc.sync(settings)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the sync ended before the point where it was to die"


def assert_nothing_confirmed_that_is_not_durable(settings: Settings) -> None:
    known, found = state.load(settings), slot(settings)
    assert known is not None
    if known.durable_lsn is not None and found is not None:
        assert state.lsn_number(found["confirmed_flush_lsn"]) <= known.position


def test_a_killed_snapshot_starts_anew_as_a_new_generation(erp: Settings) -> None:
    for generation, prepare in enumerate(IN_THE_SNAPSHOT.values(), start=1):
        sync_and_die(erp, prepare)
        known = state.load(erp)
        assert known is not None
        assert {table.is_complete for table in known.tables.values()} == {False}
        execute(erp, f"delete from towers where tower_id = 'T{generation}'")
    synced = cdc.sync(erp)
    assert synced.generation == len(IN_THE_SNAPSHOT) + 1
    assert differences(erp) == {}
    assert not list(Path(erp.landing_uri).rglob("*.unfinished"))


def test_a_killed_reader_delivers_again_and_loses_nothing(erp: Settings) -> None:
    cdc.sync(erp)
    for number, prepare in enumerate(IN_THE_STREAM.values(), start=1):
        execute(
            erp,
            "begin; update towers set tower_name = tower_name || 'x'; truncate inventory; commit",
            f"delete from towers where tower_id = 'T{number}'",
            towers(100 * number, 100 * number + 20),
        )
        sync_and_die(erp, prepare)
        assert_nothing_confirmed_that_is_not_durable(erp)
        execute(erp, f"delete from towers where tower_id = 'T{100 * number}'")
        cdc.sync(erp)
        assert_nothing_confirmed_that_is_not_durable(erp)
        assert differences(erp) == {}
    truncations = [b for b in delivered(erp, "boundaries", "_cdc") if b["kind"] == "truncate"]
    assert len({b["seq"] for b in truncations}) == len(IN_THE_STREAM)
    assert not list(Path(erp.landing_uri).rglob("*.unfinished"))


def test_a_server_that_stops_under_the_reader(
    server: Settings, erp: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    cdc.sync(erp)
    execute(erp, "update towers set tower_name = 'x'")
    monkeypatch.setattr(connection.Session, "flushed_lsn", lambda _: 1 << 62)  # reads on and on
    stop = threading.Timer(1.0, postgres.down, (server,))
    stop.start()
    with pytest.raises(LakehouseError, match="broke off") as broken:
        cdc.sync(erp)
    stop.join()
    assert "`lakehouse cdc sync`" in broken.value.hint
    monkeypatch.undo()
    kept = [row for row in delivered(erp, "towers") if row["_cdc_op"] == "upsert"]
    assert len(kept) == 50, "what had come whole is kept"

    postgres.up(server)
    assert_nothing_confirmed_that_is_not_durable(erp)
    execute(erp, "delete from towers where tower_id = 'T1'")
    assert cdc.sync(erp).changes == 1
    assert differences(erp) == {}


def test_a_resync_of_one_table_keeps_what_was_before_it(erp: Settings) -> None:
    cdc.sync(erp)
    open_transaction = psycopg2.connect(postgres.erp_dsn(erp))
    open_transaction.cursor().execute("update towers set tower_name = 'late' where tower_id = 'T1'")
    threading.Timer(0.5, open_transaction.commit).start()
    execute(erp, "update towers set tower_name = 'before' where tower_id = 'T2'")
    synced = cdc.resync(erp, ["towers"])  # waits for the open transaction
    open_transaction.close()
    execute(erp, "update towers set tower_name = 'after' where tower_id = 'T3'")
    cdc.sync(erp)
    assert synced.snapshot_rows == 50
    assert differences(erp) == {}
    generation = {
        row["tower_name"]: row["_airbyte_generation_id"]
        for row in delivered(erp, "towers")
        if row["_cdc_op"] == "upsert"
    }
    assert generation == {"late": 1, "before": 1, "after": 2}
    known = state.load(erp)
    assert known is not None
    assert {name: table.generation for name, table in known.tables.items()} == {
        "inventory": 1,
        "items": 1,
        "stock_movements": 1,
        "towers": 2,
    }


def test_a_disk_that_is_full_loses_nothing(erp: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    cdc.sync(erp)
    execute(erp, towers(100, 200), "truncate inventory")

    def full(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for called in ("fsync", "open"):
        with monkeypatch.context() as patch:
            patch.setattr(os, called, full)
            with pytest.raises(LakehouseError, match="No space left"):
                cdc.sync(erp)
        assert_nothing_confirmed_that_is_not_durable(erp)
    cdc.sync(erp)
    assert differences(erp) == {}


def test_a_clock_that_jumps_changes_no_order(
    erp: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    cdc.sync(erp)
    now = time.time
    for jump in (86_400.0, -86_400.0, 0.0):
        monkeypatch.setattr(time, "time", lambda jump=jump: now() + jump)
        execute(erp, f"update towers set tower_name = 'at {jump}'")
        cdc.sync(erp)
        assert (cdc.status(erp).lag_seconds or 0) >= 0
        assert differences(erp) == {}


def test_many_rows_in_one_copy_and_many_savepoints(erp: Settings) -> None:
    cdc.sync(erp)
    connection_ = psycopg2.connect(postgres.erp_dsn(erp))
    with connection_.cursor() as cursor:
        rows = "".join(f"C{i}\tn\tmacro\tBA\tS\t1\t1\t\\N\tnow\tnow\n" for i in range(10_000))
        cursor.copy_expert("copy towers from stdin", io.StringIO(rows))
        connection_.commit()
        cursor.execute(
            "do $$ begin for i in 1..10000 loop begin "
            "insert into towers "
            "values ('S' || i, 'n', 'macro', 'BA', 'S', 1, 1, null, now(), now());"
            "if i % 2 = 0 then raise exception 'undone'; end if; "
            "exception when raise_exception then null; end; end loop; end $$"
        )
        connection_.commit()
    connection_.close()
    assert cdc.sync(erp).changes == 10_000 + 5_000
    names = {row["tower_id"] for row in delivered(erp, "towers")}
    assert len([name for name in names if name.startswith("S")]) == 5_000
    seqs = [row["seq"] for row in delivered(erp, "towers") if row["tower_id"].startswith("C")]
    assert len(seqs) == 10_000
    assert len(set(seqs)) < len(seqs), "rows of one COPY share positions: keys tell them apart"


@pytest.mark.long
def test_a_million_rows_in_one_transaction(erp: Settings) -> None:
    cdc.sync(erp)
    execute(
        erp,
        "insert into stock_movements select i, 'x', 'y', 'receipt', 1, 1, now(), md5(i::text), "
        "now(), now() from generate_series(1, 1000000) i",
        "begin; delete from stock_movements; rollback",
    )
    code = (
        "from lakehouse import cdc, settings; from tests.integration.processes import peak_mb;"
        "cdc.sync(settings.load()); print(peak_mb())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=export(erp) | {"ERP_DSN": str(erp.erp_dsn)},
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert int(done.stdout) < 600
    rows = [
        pq.read_metadata(file.path).num_rows
        for file in landing.list_files(erp)
        if file.entity == "stock_movements"
    ]
    assert sum(rows) == 1_000_000
