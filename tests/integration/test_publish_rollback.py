"""The marts before come back as they were served; the roles of readers see those and no others."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest
from deltalake import DeltaTable
from psycopg2 import errors
from psycopg2.extensions import make_dsn

from lakehouse import publish
from lakehouse.erp import postgres
from lakehouse.errors import LakehouseError, RefusedError
from lakehouse.orchestration import chain
from lakehouse.publish import readers, serving
from lakehouse.settings import Settings, export
from tests.integration.gate import new_lake, running_server
from tests.integration.test_gate_swap import serve, session, stage, versions
from tests.integration.thread import ask, change

pytestmark = pytest.mark.server

ROLL_BACK_AND_DIE = """
import os, signal
from lakehouse import publish, settings
from lakehouse.orchestration import chain

publish.write_gold = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
chain.run_step(settings.load(), "rollback", do=chain.roll_back)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    with running_server() as server:
        yield server


@pytest.fixture
def gated(server: postgres.Server, tmp_path: Path) -> Settings:
    return new_lake(server, tmp_path / "home")


def publish_version(lake: Settings, version: int) -> None:
    serve(lake, version)
    publish.write_gold(lake, run_id=f"run-{version}")


def roll_back(lake: Settings) -> chain.Counts:
    return chain.run_step(lake, "rollback", do=chain.roll_back)


def assert_refused(lake: Settings, match: str) -> None:
    with pytest.raises(RefusedError, match=match) as refusal:
        roll_back(lake)
    assert refusal.value.exit_status == 3


def in_marts(lake: Settings) -> int:
    with session(lake) as cursor:
        return versions(cursor)


def in_gold(lake: Settings) -> set[int]:
    tables = [DeltaTable(f"{lake.gold_uri}/{mart}") for mart in ("fact_a", "fact_b")]
    return {value for table in tables for value in table.to_pyarrow_table()["version"].to_pylist()}


def published(lake: Settings) -> list[tuple[str, str | None]]:
    query = "select run_id, withdrawn_run from ops.published order by publication"
    return [(run, withdrawn) for run, withdrawn in ask(postgres.warehouse_dsn(lake), query)]


def test_a_rollback_turns_the_swap_round(gated: Settings) -> None:
    assert_refused(gated, "nothing is served, and marts_previous holds none")
    publish_version(gated, 1)
    assert_refused(gated, "run-1 is served, by a publish of")
    publish_version(gated, 2)
    stage(gated, 3)

    assert roll_back(gated) == {
        "served_run": "run-1",
        "served_as_of": "2024-10-02",
        "withdrawn_run": "run-2",
        "gold_commits": 2,
    }
    assert (in_marts(gated), in_gold(gated)) == (1, {1})
    now = publish.served(gated)
    assert now is not None
    assert (now.run_id, now.withdrawn_run, now.marts["fact_a"]) == ("run-1", "run-2", 1000)

    assert_refused(gated, "run-1 is served, by a rollback of")
    assert (in_marts(gated), in_gold(gated)) == (1, {1})

    # What was withdrawn has passed the gate, and can be served again; what was staged is gone.
    with pytest.raises(RefusedError, match="run-3 has nothing to publish: .* of run run-2"):
        publish.swap(gated, run_id="run-3")
    assert publish.waiting(gated) == "run-2"
    assert publish.swap(gated, run_id="run-2").swapped
    assert publish.write_gold(gated, run_id="run-2").gold_commits == 2
    assert (in_marts(gated), in_gold(gated)) == (2, {2})
    assert roll_back(gated)["served_run"] == "run-1"
    publish_version(gated, 4)
    assert (in_marts(gated), in_gold(gated)) == (4, {4})
    assert published(gated) == [
        ("run-1", None),
        ("run-2", None),
        ("run-1", "run-2"),
        ("run-2", None),
        ("run-1", "run-2"),
        ("run-4", None),
    ]


def test_a_run_that_was_published_twice_goes_back_to_its_first(gated: Settings) -> None:
    publish_version(gated, 1)
    publish_version(gated, 2)
    dsn = postgres.warehouse_dsn(gated)
    stage(gated, 3)
    # As when a DAG run is cleared: the same run again, with other rows.
    change(
        dsn,
        "comment on schema marts_next is 'run-2'",
        "update ops.gates set marts = '{\"fact_a\": 3, \"fact_b\": 3}' where run_id = 'run-2'",
    )
    assert publish.swap(gated, run_id="run-2").swapped
    assert publish.write_gold(gated, run_id="run-2").gold_commits == 2
    assert in_gold(gated) == {3}
    roll_back(gated)
    assert (in_marts(gated), in_gold(gated)) == (2, {2})
    now = publish.served(gated)
    assert now is not None
    assert now.marts["fact_a"] == 1000


def test_the_clock_may_jump_back(gated: Settings) -> None:
    publish_version(gated, 1)
    change(
        postgres.warehouse_dsn(gated),
        "update ops.published set publication = publication + 86400000000,"
        " published_at = published_at + interval '1 day'",
    )
    publish_version(gated, 2)
    roll_back(gated)
    now = publish.served(gated)
    assert now is not None
    assert (now.run_id, now.withdrawn_run) == ("run-1", "run-2")
    assert in_gold(gated) == {1}


def test_a_rollback_that_was_killed_before_gold_is_completed(gated: Settings) -> None:
    publish_version(gated, 1)
    publish_version(gated, 2)
    environment = export(gated) | {"WAREHOUSE_DSN": postgres.warehouse_dsn(gated)}
    done = subprocess.run(
        [sys.executable, "-c", ROLL_BACK_AND_DIE],
        env=environment | {"PATH": os.environ["PATH"]},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert (in_marts(gated), in_gold(gated)) == (1, {2})
    assert roll_back(gated) == {"served_run": "run-1", "gold_commits": 2}
    assert in_gold(gated) == {1}
    assert_refused(gated, "no version to go back to")


def test_a_reader_that_stays_keeps_a_rollback_away(
    gated: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "TRIES", 1)
    publish_version(gated, 1)
    publish_version(gated, 2)
    with session(gated, autocommit=False) as reader:
        reader.execute("set application_name = 'metabase'")
        assert versions(reader) == 2
        with pytest.raises(LakehouseError, match="rollback was not done.* metabase, server") as no:
            roll_back(gated)
        assert "lakehouse publish --rollback" in no.value.hint
    assert in_marts(gated) == 2
    [last] = chain.last_run(gated)
    assert (last["step"], last["status"]) == ("rollback", "failed")


def test_the_roles_of_readers_see_what_is_served_and_nothing_else(gated: Settings) -> None:
    def may_read(role: str, schema: str) -> bool:
        with session(gated) as cursor:
            cursor.execute(f"set role {role}")
            try:
                cursor.execute(f"select count(*) from {schema}.fact_a")
            except errors.InsufficientPrivilege:
                return False
            return cursor.fetchone() == (1000,)

    def seen() -> set[tuple[str, str]]:
        dsn = postgres.warehouse_dsn(gated)
        schemas = ask(dsn, "select nspname from pg_namespace where nspname like 'marts%'")
        return {
            (role, schema)
            for role in readers.ROLES
            for (schema,) in schemas
            if may_read(role, schema)
        }

    only_the_served = {("planner", "marts"), ("bi_reader", "marts")}
    publish_version(gated, 1)
    assert seen() == only_the_served
    publish_version(gated, 2)
    stage(gated, 3)
    assert seen() == only_the_served
    roll_back(gated)
    assert seen() == only_the_served
    login = "select rolcanlogin from pg_roles where rolname = any(array['planner', 'bi_reader'])"
    assert ask(postgres.warehouse_dsn(gated), login) == [(False,), (False,)]


def test_views_of_somebody_else_are_named_before_they_go(
    gated: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    publish_version(gated, 1)
    change(
        postgres.warehouse_dsn(gated),
        "create schema own",
        "create view own.a as select * from marts.fact_a",
        'create materialized view own."of A" as select * from own.a',
    )
    publish_version(gated, 2)
    assert 'own."of A", own.a: made upon marts of before, which they still show' in caplog.text
    with session(gated) as cursor:
        cursor.execute("select distinct version from own.a")
        assert cursor.fetchall() == [(1,)]
    caplog.clear()
    publish_version(gated, 3)
    assert 'own."of A", own.a: made upon marts of before, dropped with them' in caplog.text
    caplog.clear()
    publish_version(gated, 4)
    assert "made upon" not in caplog.text


def test_a_user_that_may_not_make_roles_is_warned_and_publishes(
    gated: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    dsn = postgres.warehouse_dsn(gated)
    [(database,)] = ask(dsn, "select current_database()")
    change(
        dsn,
        "create role plain login nocreaterole password 'plain'",
        f"grant create on database {database} to plain",
    )
    monkeypatch.setattr(readers, "ROLES", ("planner_of_nobody",))
    plain = replace(gated, warehouse_dsn=make_dsn(dsn, user="plain", password="plain"))
    with caplog.at_level(logging.WARNING):
        serve(plain, 1)
    assert "planner_of_nobody is missing" in caplog.text
    assert in_marts(gated) == 1
    change(dsn, "create role planner_of_nobody nologin")
    serve(plain, 2)
    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute("set role planner_of_nobody")
        assert versions(cursor) == 2
    connection.close()
