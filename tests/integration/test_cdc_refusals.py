"""What the reader refuses, each time with the way on: it never skips or reloads in silence."""

from __future__ import annotations

import json
import select
from collections.abc import Iterator
from dataclasses import replace

import psycopg2
import pytest
from psycopg2.extensions import make_dsn
from psycopg2.extras import LogicalReplicationConnection

from lakehouse import cdc, landing
from lakehouse.cdc import slot as slots
from lakehouse.cdc import state
from lakehouse.erp import postgres
from lakehouse.errors import LakehouseError, RefusedError
from lakehouse.settings import Settings
from tests.integration.cdc_replay import differences, execute, lake_on, slot, towers

# One server a file, so one worker a file.
pytestmark = [pytest.mark.server, pytest.mark.xdist_group(__name__)]

TABLES = ("inventory", "items", "stock_movements", "towers")
CUT_SHORT = {
    "alter publication lakehouse set (publish = 'insert, update')": "every delete and truncate",
    "alter publication lakehouse set table towers where (state = 'BA')": "sends only some rows",
    "create unique index other on towers (tower_id, tower_name); "
    "alter table towers replica identity using index other": "is not its primary key",
    "alter table towers drop constraint towers_pkey cascade": "no primary key",
}
"""What makes the change log say less, and what is said of it."""


@pytest.fixture
def erp(server: Settings) -> Iterator[Settings]:
    with lake_on(server) as settings:
        execute(settings, towers(1, 50))
        yield settings


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for a slot that is in use."""
    monkeypatch.setattr(slots, "_RELEASE_TIMEOUT_S", 0.3)


def assert_refused(erp: Settings, match: str, hint: str) -> None:
    content = state.path(erp).read_text()
    with pytest.raises(RefusedError, match=match) as refusal:
        cdc.sync(erp, dict.fromkeys(TABLES, ()))
    assert hint in refusal.value.hint
    assert state.path(erp).read_text() == content


@pytest.mark.usefixtures("impatient")
def test_each_refusal_says_what_helps_and_changes_nothing(erp: Settings) -> None:
    cdc.sync(erp)
    execute(erp, towers(60, 70))
    known = state.load(erp)
    assert known is not None
    delivered_before = landing.list_files(erp)

    execute(erp, "alter publication lakehouse drop table inventory")
    add = "alter publication lakehouse add table public.inventory"
    assert_refused(erp, "lacks public.inventory", add)
    execute(erp, "drop publication lakehouse")
    create = "create publication lakehouse for table"
    assert_refused(erp, "lacks public.inventory, public.items", create)
    execute(erp, f"{create} {', '.join(TABLES)}")
    execute(erp, "alter table towers replica identity nothing")
    assert_refused(erp, "towers", "replica identity default")
    execute(erp, "alter table towers replica identity default")

    state.save(erp, replace(known, system_identifier="1"))
    assert_refused(erp, "is another one", "set ERP_DSN")
    state.save(erp, replace(known, timeline=7))
    assert_refused(erp, "timeline", "cdc resync")
    state.save(erp, known)

    other = psycopg2.connect(postgres.erp_dsn(erp), connection_factory=LogicalReplicationConnection)
    cursor = other.cursor()
    options = {"proto_version": "1", "publication_names": "lakehouse"}
    cursor.start_replication(slot_name="lakehouse", options=options)
    in_use = f"in use by .* its process {other.get_backend_pid()}"
    assert_refused(erp, in_use, "stop that reader")
    select.select([cursor], [], [], 0)
    other.close()
    assert slot(erp) is not None  # waits until it is free

    assert landing.list_files(erp) == delivered_before
    assert cdc.sync(erp).changes == 11
    assert differences(erp) == {}


@pytest.mark.usefixtures("impatient")
def test_a_state_that_does_not_fit_the_slot_is_refused(erp: Settings) -> None:
    cdc.sync(erp)
    file = state.path(erp)
    file.rename(file.with_suffix(".away"))
    with pytest.raises(RefusedError, match="knows nothing of") as refusal:
        cdc.sync(erp)
    assert "if none does" in refusal.value.hint
    file.with_suffix(".away").rename(file)

    assert slot(erp) is not None
    execute(
        erp,
        towers(80, 81),
        "select pg_replication_slot_advance('lakehouse', pg_current_wal_lsn())",
    )
    assert_refused(erp, "something else has read from it", "cdc resync")

    file.write_text(json.dumps({"generation": 1}))
    with pytest.raises(LakehouseError, match="cannot be read"):
        cdc.sync(erp)


@pytest.mark.usefixtures("impatient")
def test_other_refusals(erp: Settings) -> None:
    needed = {"towers": ("tower_id", "height")}
    with pytest.raises(RefusedError, match=r"lacks public\.towers\.height") as refusal:
        cdc.sync(erp, needed)
    assert "out of the contract" in refusal.value.hint

    for setting, match in CUT_SHORT.items():
        execute(erp, setting)
        with pytest.raises(RefusedError, match=match):
            cdc.sync(erp)
        execute(
            erp,
            "alter publication lakehouse set (publish = 'insert, update, delete, truncate');"
            "alter publication lakehouse set table towers",
            "alter table towers replica identity default",
        )
    assert state.load(erp) is None
    assert slot(erp) is None


@pytest.mark.usefixtures("impatient")
def test_a_role_is_told_which_right_it_lacks(erp: Settings) -> None:
    execute(erp, "create role reader login password 'secret'; grant select on towers to reader")
    password = make_dsn(
        postgres.erp_dsn(erp), user="reader", password="secret", passfile="", dbname="erp"
    )
    weak = replace(erp, erp_dsn=password)
    with pytest.raises(
        RefusedError, match="role reader .* may not read the ERP's change log"
    ) as no:
        cdc.sync(weak)
    assert "alter role reader replication" in no.value.hint
    execute(erp, "alter role reader replication")
    with pytest.raises(RefusedError, match=r"may not read public\.inventory") as no:
        cdc.sync(weak)
    assert "grant usage on schema public" in no.value.hint
    execute(erp, "grant usage on schema public to reader")
    with pytest.raises(RefusedError, match=r"may not read public\.inventory") as no:
        cdc.sync(weak)
    assert "grant select on public.inventory" in no.value.hint
    execute(erp, "drop owned by reader; drop role reader")
    assert state.load(erp) is None
    assert slot(erp) is None


def test_a_slot_that_is_not_ours(server: Settings, erp: Settings) -> None:
    other = replace(server, erp_dsn=postgres.warehouse_dsn(server))
    for where, create, match in (
        (erp, "select pg_create_physical_replication_slot('lakehouse')", "is a physical one"),
        (
            other,
            "select pg_create_logical_replication_slot('lakehouse', 'pgoutput')",
            "of another database",
        ),
    ):
        execute(where, create)
        for command in (cdc.sync, cdc.resync):
            with pytest.raises(RefusedError, match=match) as refusal:
                command(erp)
            assert "pg_drop_replication_slot" in refusal.value.hint
        execute(where, "select pg_drop_replication_slot('lakehouse')")


def test_a_slot_of_another_plugin(erp: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded server has no other plugin, so it is told of one."""
    cdc.sync(erp)
    monkeypatch.setattr(slots, "_SLOT", slots._SLOT.replace("s.plugin", "'test_decoding'", 1))
    with pytest.raises(RefusedError, match="is of plugin test_decoding") as refusal:
        cdc.sync(erp)
    assert "pg_drop_replication_slot" in refusal.value.hint


def test_a_slot_whose_changes_the_server_gave_up(server: Settings, erp: Settings) -> None:
    cdc.sync(erp)
    execute(
        server,
        "alter system set max_slot_wal_keep_size = '1MB'",
        "alter system set max_wal_size = '32MB'",
        "select pg_reload_conf()",
    )
    for _ in range(5):
        execute(erp, "select pg_switch_wal()", towers(2, 1), "checkpoint")
        execute(
            erp,
            "create table filler as select i from generate_series(1, 50000) i; drop table filler",
        )
    execute(erp, "checkpoint")
    with pytest.raises(RefusedError, match="has removed changes") as refusal:
        cdc.sync(erp)
    assert "lakehouse cdc resync" in refusal.value.hint
    assert "removed changes" in (cdc.status(erp).warning or "")
    execute(
        server,
        "alter system reset max_slot_wal_keep_size",
        "alter system reset max_wal_size",
        "select pg_reload_conf()",
    )
    execute(erp, "delete from towers where tower_id = 'T5'")
    assert cdc.resync(erp).generation == 2
    assert differences(erp) == {}


def test_the_way_back_supersedes_all_that_was_read_before(erp: Settings) -> None:
    cdc.sync(erp)
    execute(erp, "update towers set tower_name = 'x'")
    cdc.sync(erp)
    assert slot(erp) is not None
    execute(erp, "select pg_drop_replication_slot('lakehouse')")
    execute(erp, "delete from towers where tower_id < 'T3'")  # no reader will ever see this
    with pytest.raises(RefusedError, match="slot `lakehouse` is gone"):
        cdc.sync(erp)
    state.path(erp).unlink()
    assert cdc.sync(erp).generation == 2
    assert differences(erp) == {}


def test_a_server_without_a_logical_log_is_refused(server: Settings, erp: Settings) -> None:
    restart_with(server, "alter system set wal_level = 'replica'")
    with pytest.raises(RefusedError, match="wal_level is replica") as refusal:
        cdc.sync(erp)
    assert "wal_level = logical" in refusal.value.hint
    restart_with(server, "alter system reset wal_level")


def restart_with(server: Settings, setting: str) -> None:
    execute(server, setting)
    postgres.down(server)
    postgres.up(server)


def test_a_server_that_does_not_answer_is_refused(lake: Settings) -> None:
    away = replace(lake, erp_dsn="postgresql://nobody@127.0.0.1:1/erp")
    with pytest.raises(LakehouseError, match="the ERP server cannot be reached") as error:
        cdc.sync(away)
    assert error.value.exit_status == 3
    assert "`lakehouse up`" in error.value.hint
