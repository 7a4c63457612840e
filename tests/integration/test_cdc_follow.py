"""The follower beside the chain and other readers, while tables come and go, until it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection
from psycopg2.sql import Composable

from lakehouse import cdc
from lakehouse.cdc import copying, reader, snapshot, state
from lakehouse.cdc.copying import Copier
from lakehouse.erp import postgres
from lakehouse.errors import LakehouseError, RefusedError
from lakehouse.lock import READER, holder
from lakehouse.settings import Settings, export
from tests.integration.cdc_follower import comes_true, following, has_landed, slot_is_read
from tests.integration.cdc_replay import (
    ask,
    delivered,
    differences,
    execute,
    lake_on,
    slot,
    towers,
)

# One server a file, so one worker a file.
pytestmark = [pytest.mark.server, pytest.mark.xdist_group(__name__)]


@pytest.fixture
def erp(server: Settings) -> Iterator[Settings]:
    with lake_on(server) as settings:
        execute(settings, towers(1, 20))
        yield settings


def test_changes_land_while_it_runs_and_all_is_durable_when_it_is_stopped(erp: Settings) -> None:
    landings = []
    with following(erp, lambda: landings.append(time.monotonic())) as follower:
        for number in range(100, 105):
            execute(erp, towers(number, number))
            comes_true(has_landed(erp, f"T{number}"))
        execute(erp, towers(200, 300))
    assert follower.error is None
    assert follower.synced is not None
    assert len(landings) >= 5
    known, found = state.load(erp), slot(erp)
    assert known is not None
    assert found is not None
    assert state.lsn_number(found["confirmed_flush_lsn"]) == known.position
    cdc.sync(erp)
    assert differences(erp) == {}


def test_a_sync_beside_it_waits_until_it_has_come_as_far(erp: Settings) -> None:
    with following(erp):
        cdc.sync(erp)  # in the middle of the snapshot
        assert differences(erp) == {}
        execute(erp, towers(30, 39))
        synced = cdc.sync(erp)
        assert differences(erp) == {}
        assert synced.changes in (0, 10)  # 0 if it was faster than we asked
        assert "--follow" in (holder(erp, READER) or "")
    assert holder(erp, READER) is None


def test_a_table_that_is_published_while_it_runs_is_snapshotted_alone(erp: Settings) -> None:
    with following(erp) as follower:
        comes_true(has_landed(erp, "T1"))
        execute(
            erp,
            "create table late (id int primary key, note text)",
            "insert into late select i, 'before' from generate_series(1, 50) i",
            "alter publication lakehouse add table late",
            "insert into late values (51, 'between'); update late set note = 'x' where id = 1",
        )
        comes_true(lambda: bool(delivered(erp, "late")), follower=follower)
    cdc.sync(erp)
    assert differences(erp) == {}
    known = state.load(erp)
    assert known is not None
    assert {name: table.generation for name, table in known.tables.items()} == {
        "items": 1,
        "towers": 1,
        "inventory": 1,
        "stock_movements": 1,
        "late": 2,
    }


@pytest.mark.parametrize("is_busy", [False, True], ids=["idle", "busy"])
def test_a_table_that_left_the_publication_and_came_back_while_it_runs(
    erp: Settings, monkeypatch: pytest.MonkeyPatch, *, is_busy: bool
) -> None:
    monkeypatch.setattr(reader, "_FOLLOW_BEAT_S", 0.2)
    with following(erp) as follower:
        comes_true(has_landed(erp, "T1"))
        execute(erp, "alter publication lakehouse drop table towers", towers(50, 60))
        execute(erp, "alter publication lakehouse add table towers", towers(70, 80))

        def is_whole() -> bool:
            if is_busy:
                execute(erp, "update items set item_name = item_name || 'x'")
            return has_landed(erp, "T55")()

        comes_true(is_whole, follower=follower)
    assert follower.error is None
    cdc.sync(erp)
    assert differences(erp) == {}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("set (publish = 'insert')", "leaves out every update"),
        ("drop table towers", "lacks public.towers"),
    ],
)
def test_a_publication_that_sends_less_while_it_runs_ends_it(
    erp: Settings, monkeypatch: pytest.MonkeyPatch, change: str, says: str
) -> None:
    monkeypatch.setattr(reader, "_FOLLOW_BEAT_S", 0.2)
    with following(erp, needed={"towers": ["tower_id"]}) as follower:
        comes_true(has_landed(erp, "T1"))
        execute(erp, f"alter publication lakehouse {change}")
        follower.thread.join(20)
    assert isinstance(follower.error, RefusedError)
    assert says in follower.error.what


def test_an_idle_table_does_not_keep_the_log_of_the_others(
    erp: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_FOLLOW_BEAT_S", 0.2)
    execute(erp, "create table unread (id int, filler text)")
    with following(erp):
        comes_true(has_landed(erp, "T1"))
        execute(
            erp, "insert into unread select i, repeat('x', 1000) from generate_series(1,9999) i"
        )
        (end,) = ask(erp, "select pg_current_wal_lsn() - '0/0' as lsn")

        def is_let_go() -> bool:
            (found,) = ask(erp, "select confirmed_flush_lsn from pg_replication_slots")
            return bool(state.lsn_number(found["confirmed_flush_lsn"]) >= end["lsn"])

        comes_true(is_let_go)
        comes_true(lambda: cdc.status(erp).lag_seconds == 0 or cdc.status(erp).lag_bytes == 0)


def test_what_a_killed_reader_landed_is_told_by_the_next_one(erp: Settings) -> None:
    cdc.sync(erp)
    told = []
    with following(erp, lambda: told.append(True)) as follower:
        comes_true(lambda: bool(told), follower=follower)
    assert follower.synced is not None
    assert follower.synced.changes == 0


def test_what_goes_wrong_behind_a_landing_ends_it(erp: Settings) -> None:
    def fails() -> None:
        raise LakehouseError("bronze is full", hint="make room")

    with following(erp, fails) as follower:
        follower.thread.join(30)
    assert isinstance(follower.error, LakehouseError)
    assert follower.error.what == "bronze is full"
    assert cdc.sync(erp).snapshot_rows == 0  # what was landed is landed
    assert differences(erp) == {}


def test_the_command_stops_cleanly_when_it_is_told_to(erp: Settings) -> None:
    command = [sys.executable, "-m", "lakehouse", "cdc", "sync", "--follow", "--json"]
    environment = export(erp) | {"ERP_DSN": str(erp.erp_dsn)}
    # Not the demo's tables, so no contract asks for them.
    script = (
        "from lakehouse.orchestration import chain; chain.erp_contracts = dict;"
        "from lakehouse.cli import main; import sys; main(sys.argv[1:])"
    )
    command[1:3] = ["-c", script]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        comes_true(has_landed(erp, "T20"), within_s=60)
        execute(erp, towers(30, 40))
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    known, found = state.load(erp), slot(erp)
    assert known is not None
    assert found is not None
    assert found["confirmed_flush_lsn"] == known.durable_lsn
    assert known.durable_lsn in out


@pytest.mark.parametrize("is_first", [True, False], ids=["the first", "beside the slot"])
def test_a_snapshot_ends_between_two_ranges_when_it_is_told_to(
    erp: Settings, monkeypatch: pytest.MonkeyPatch, *, is_first: bool
) -> None:
    if not is_first:
        cdc.sync(erp)
    execute(
        erp,
        "create table long (id int primary key, filler text)",
        "insert into long select i, repeat('x', 500) from generate_series(1, 2000) i",
        "alter publication lakehouse add table long",
    )
    monkeypatch.setattr(snapshot, "_RANGE_BYTES", 8192)  # a page a range
    copied, copy, go_on = [], copying.Copier.rows, threading.Event()

    def copy_some(copier: Copier, connection: Connection, source: Composable) -> Iterator[Any]:
        if copier.entity == "long":
            copied.append(source)
            go_on.wait(20)
        yield from copy(copier, connection, source)

    monkeypatch.setattr(copying.Copier, "rows", copy_some)
    with following(erp) as follower:
        comes_true(lambda: bool(copied), follower=follower)
        follower.stop.set()
        go_on.set()
    assert follower.error is None
    assert follower.synced is not None
    assert len(copied) <= copying.READERS
    assert cdc.status(erp).unfinished == (
        ("inventory", "items", "long", "stock_movements", "towers") if is_first else ("long",)
    )
    before = follower.synced.generation
    assert cdc.sync(erp).generation == before + 1
    assert differences(erp) == {}


def test_two_readers_on_one_slot(erp: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another lake with the same state, as a copy of the folder would be."""
    cdc.sync(erp)
    monkeypatch.setattr(reader, "LockHeldError", ZeroDivisionError)  # nobody waits
    with following(erp):
        comes_true(lambda: slot_is_read(erp))
        with pytest.raises(LakehouseError, match="is held by `lakehouse cdc sync --follow`"):
            cdc.sync(erp)


def test_psycopg_is_what_it_was(erp: Settings) -> None:
    """The reader leaves nothing behind in the driver that other connections would feel."""
    cdc.sync(erp)
    connection = psycopg2.connect(postgres.erp_dsn(erp))
    with connection.cursor() as cursor:
        cursor.execute("show wal_sender_timeout")
        assert cursor.fetchall() != [("0",)]
    connection.close()
