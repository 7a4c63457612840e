"""Whatever dies between the gate and gold: readers see whole marts, and the next try ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from deltalake import DeltaTable
from psycopg2.extensions import cursor as Cursor
from psycopg2.extensions import make_dsn

from lakehouse import publish
from lakehouse.erp import postgres
from lakehouse.errors import LakehouseError
from lakehouse.orchestration import chain, unchanged
from lakehouse.publish import serving
from lakehouse.settings import Settings, export
from tests.fixtures.lakes import temporary_lake
from tests.integration import small_chain
from tests.integration.gate import new_lake, running_server
from tests.integration.test_gate_swap import serve, session, stage, versions

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    with running_server() as server:
        yield server


@pytest.fixture
def gated(server: postgres.Server, tmp_path: Path) -> Settings:
    return new_lake(server, tmp_path / "home")


def in_marts(lake: Settings) -> int:
    with session(lake) as cursor:
        return versions(cursor)


def test_a_server_that_is_away_between_gate_and_swap_serves_after_it_is_back() -> None:
    with temporary_lake() as lake:
        postgres.up(lake)
        serve(lake, 1)
        stage(lake, 2)
        postgres.down(lake)
        with pytest.raises(LakehouseError, match="is not running") as gone:
            publish.swap(lake, run_id="run-2")
        assert "lakehouse up" in gone.value.hint
        postgres.up(lake)
        assert in_marts(lake) == 1
        assert publish.swap(lake, run_id="run-2").swapped
        assert in_marts(lake) == 2


@pytest.mark.parametrize("what", ["swap", "rollback"])
def test_a_server_that_ends_the_session_leaves_whole_marts(
    what: str, gated: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in (1, 2):
        serve(gated, version)
    stage(gated, 3)
    before = publish.served(gated)
    move = serving._move

    def terminated(cursor: Cursor, schema: str, to: str) -> None:
        move(cursor, schema, to)
        cursor.execute("select pg_terminate_backend(pg_backend_pid())")

    def do() -> None:
        if what == "swap":
            publish.swap(gated, run_id="run-3")
        else:
            publish.rollback(gated)

    with monkeypatch.context() as patch:
        patch.setattr(serving, "_move", terminated)
        with pytest.raises(LakehouseError, match=f"the {what} of the marts was broken off"):
            do()
    assert in_marts(gated) == 2
    assert publish.served(gated) == before
    do()
    assert in_marts(gated) == (3 if what == "swap" else 1)


def test_a_chain_killed_in_its_publish_is_ended_by_the_next_run_on_each_day(
    gated: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = export(gated) | {
        "WAREHOUSE_DSN": postgres.warehouse_dsn(gated),
        "PATH": os.environ["PATH"],
    }

    def run_and_die(day: int, point: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "tests.integration.small_chain", str(day), point],
            env=environment,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == -signal.SIGKILL, done.stderr

    def run(day: int) -> None:
        monkeypatch.setattr(chain, "ALL_STEPS", small_chain.steps(day))
        run_id = chain.run(gated)
        assert in_marts(gated) == day
        assert {row["status"] for row in chain.last_run(gated)} == {"done"}
        for mart in ("fact_a", "fact_b"):
            gold = DeltaTable(f"{gated.gold_uri}/{mart}")
            assert set(gold.to_pyarrow_table()["version"].to_pylist()) == {day}
            # Once a publication, however often it was tried.
            assert gold.version() == day - 1
        now = publish.served(gated)
        assert now is not None
        assert now.run_id == run_id

    run_and_die(1, "swapped")
    assert in_marts(gated) == 1
    run_and_die(1, "half_of_gold")
    run(1)
    run_and_die(2, "unswapped")
    assert in_marts(gated) == 1
    run(2)


def test_gold_that_a_kill_left_behind_is_written_on_a_day_without_a_change(
    gated: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(gated, 1)
    monkeypatch.setattr(unchanged, "since", lambda _: "nothing changed")
    for commits in (2, 0):
        counts = chain.run_step(gated, "dbt_run")
        assert counts == {"skipped": "nothing changed", "gold_commits": commits}
    assert {row["status"] for row in chain.last_run(gated)} == {"skipped"}


def test_a_wrong_address_is_told_without_its_password(gated: Settings) -> None:
    secret = "s3cret-of-nobody"
    for wrong in ({"dbname": "nowhere"}, {"port": "1"}, {"user": "nobody"}):
        dsn = make_dsn(postgres.warehouse_dsn(gated), password=secret, **wrong)
        lake = replace(gated, warehouse_dsn=dsn)
        with pytest.raises(LakehouseError, match="the warehouse server cannot be reached") as error:
            chain.run(lake)
        told = [error.value.what, error.value.hint, *getattr(error.value, "__notes__", ())]
        assert secret not in " ".join(told)
