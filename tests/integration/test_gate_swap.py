"""Readers keep reading through swaps: never an error, an empty mart or a mix of versions."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import psycopg2
import pytest
from psycopg2.extensions import cursor as Cursor

from lakehouse import publish
from lakehouse.erp import postgres
from lakehouse.errors import LakehouseError
from lakehouse.publish import serving
from lakehouse.settings import Settings
from tests.integration.gate import new_lake, pass_the_gate, running_server

pytestmark = pytest.mark.server

ROWS = 1000
JOIN = """
    select a.version, b.version, count(*)
    from marts.fact_a as a full join marts.fact_b as b using (id) group by 1, 2
"""


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    with running_server() as server:
        yield server


@pytest.fixture
def gated(server: postgres.Server, tmp_path: Path) -> Settings:
    return new_lake(server, tmp_path / "home")


def build(lake: Settings, version: int) -> None:
    """Two marts that both say of which version they are."""
    with duckdb.connect(lake.duckdb_path) as connection:
        connection.execute("create schema if not exists ops; create schema if not exists marts")
        connection.execute(
            "create or replace table ops.run_context as select date '2024-10-02' as as_of_date"
        )
        for mart in ("fact_a", "fact_b"):
            connection.execute(
                f"create or replace table marts.{mart} as"
                f" select range as id, {version}::bigint as version from range({ROWS})"
            )


def stage(lake: Settings, version: int) -> None:
    build(lake, version)
    publish.stage(lake, run_id=f"run-{version}")
    pass_the_gate(lake)


def serve(lake: Settings, version: int) -> None:
    stage(lake, version)
    assert publish.swap(lake, run_id=f"run-{version}").swapped


@contextmanager
def session(lake: Settings, *, autocommit: bool = True) -> Iterator[Cursor]:
    connection = psycopg2.connect(postgres.warehouse_dsn(lake))
    connection.autocommit = autocommit
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def versions(cursor: Cursor, statement: str = JOIN) -> int:
    """The one version that all rows of both marts have."""
    cursor.execute(statement)
    found = cursor.fetchall()
    assert found == [(found[0][0], found[0][0], ROWS)]
    return int(found[0][0])


def read_at_once(lake: Settings, ended: threading.Event) -> Iterator[int]:
    with session(lake) as cursor:
        while not ended.is_set():
            yield versions(cursor)


def read_prepared(lake: Settings, ended: threading.Event) -> Iterator[int]:
    with session(lake) as cursor:
        cursor.execute(f"prepare joined as {JOIN}")
        while not ended.is_set():
            yield versions(cursor, "execute joined")


def read_one_after_the_other(lake: Settings, ended: threading.Event) -> Iterator[int]:
    with session(lake) as cursor:
        while not ended.is_set():
            cursor.execute("begin")
            cursor.execute("select min(version), max(version), count(*) from marts.fact_a")
            first = cursor.fetchall()
            cursor.execute("select min(version), max(version), count(*) from marts.fact_b")
            assert cursor.fetchall() == first
            cursor.execute("commit")
            yield first[0][0]


READERS = {each.__name__: each for each in (read_at_once, read_prepared, read_one_after_the_other)}


@pytest.mark.parametrize("swaps", [3, pytest.param(10, marks=pytest.mark.long)])
def test_readers_see_one_whole_version_through_swaps_and_a_rollback(
    gated: Settings, swaps: int
) -> None:
    serve(gated, 0)
    ended = threading.Event()
    seen: dict[str, list[int]] = {}
    errors: list[BaseException] = []

    def read(name: str) -> None:
        try:
            seen[name] = list(READERS[name](gated, ended))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=read, args=(name,)) for name in READERS]
    for thread in threads:
        thread.start()
    served = [0]
    try:
        for version in range(1, swaps + 1):
            serve(gated, version)
            served.append(version)
            if version == swaps // 2 + 1:
                publish.rollback(gated)
                assert publish.swap(gated, run_id=f"run-{version}").swapped
                served += [version - 1, version]
    finally:
        ended.set()
        for thread in threads:
            thread.join()

    assert errors == []
    assert set(seen) == set(READERS)
    for found in seen.values():
        assert len(set(found)) > 1
        left = iter(served)
        # Versions may be missed, and never come out of turn.
        assert all(version in left for version, _ in itertools.groupby(found))


def test_a_transaction_older_than_the_marts_finds_them_full(gated: Settings) -> None:
    serve(gated, 0)
    with session(gated, autocommit=False) as cursor:
        cursor.execute("set transaction isolation level repeatable read")
        cursor.execute("select 1")
        serve(gated, 1)
        assert versions(cursor) == 1


def test_a_reader_that_stays_is_named_and_not_disturbed(
    gated: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "TRIES", 2)
    monkeypatch.setattr(serving, "PAUSE_S", 0.0)
    serve(gated, 0)
    stage(gated, 1)
    with session(gated, autocommit=False) as reader:
        reader.execute("set application_name = 'metabase'")
        assert versions(reader) == 0
        with pytest.raises(LakehouseError, match="metabase, server process") as failed:
            publish.swap(gated, run_id="run-1")
        assert "lakehouse publish" in failed.value.hint
        assert versions(reader) == 0
    assert publish.swap(gated, run_id="run-1").swapped
    with session(gated) as reader:
        assert versions(reader) == 1


def test_the_marts_before_are_kept(gated: Settings) -> None:
    for version in range(3):
        serve(gated, version)
    with session(gated) as cursor:
        assert versions(cursor) == 2
        assert versions(cursor, JOIN.replace("marts.", "marts_previous.")) == 1
