"""The embedded PostgreSQL: private, found again, and up again whatever happened to it."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from lakehouse.erp import cluster, postgres
from lakehouse.erp.postgres import Server
from lakehouse.errors import LakehouseError, RefusedError
from lakehouse.settings import Settings
from tests.fixtures.lakes import temporary_lake
from tests.integration.processes import processes

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def shared_lake() -> Iterator[Settings]:
    with temporary_lake() as settings:
        yield settings


@pytest.fixture
def standing(shared_lake: Settings) -> Settings:
    """A server that is up, and that each test leaves fit to be started again."""
    postgres.up(shared_lake)
    return shared_lake


def query(server: Server, sql: str) -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(server.dsn("erp"))
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def test_up_and_down_may_be_said_twice(standing: Settings) -> None:
    server = cluster.read(standing)
    before = processes(standing)[0]
    assert postgres.up(standing) == server
    assert processes(standing)[0] == before
    query(server, "create table updown as select 42 as answer")
    assert postgres.down(standing)
    assert not postgres.down(standing)
    assert postgres.running(standing) is None
    assert not Path(server.socket_folder).exists()
    with pytest.raises(LakehouseError, match="is not running"):
        postgres.erp_dsn(standing)
    again = postgres.up(standing)
    assert (again.port, again.passfile) == (server.port, server.passfile)
    assert query(again, "table updown") == [(42,)]


def test_nobody_else_may_look_inside(standing: Settings) -> None:
    home = standing.postgres_home
    closed = [home, home / "data", Path(cluster.read(standing).socket_folder)]
    assert {oct(path.stat().st_mode & 0o777) for path in closed} == {"0o700"}
    secret = [home / "pgpass", home / "server.json", home / "server.log"]
    assert {oct(path.stat().st_mode & 0o777) for path in secret} == {"0o600"}
    left = {path.name for path in home.iterdir()}
    assert left == {"data", "pgpass", "server.json", "server.log", "up.lock"}


def test_it_listens_on_loopback_only(standing: Settings) -> None:
    port = cluster.read(standing).port
    listening = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text("utf8").splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            if state == "0A" and int(local.rpartition(":")[2], 16) == port:
                listening.append(local.rpartition(":")[0])
    assert listening == ["0100007F"]


@pytest.mark.parametrize("password", [None, "guessed"])
@pytest.mark.parametrize("door", ["loopback", "socket"])
def test_no_door_opens_without_the_password(
    standing: Settings, door: str, password: str | None
) -> None:
    server = cluster.read(standing)
    host = "127.0.0.1" if door == "loopback" else server.socket_folder
    secret = Path(server.passfile).read_text("utf8").strip().rpartition(":")[2]
    known = f"host={host} port={server.port} user={cluster.SUPERUSER} dbname=erp passfile=/dev/null"
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(known, password=password)
    psycopg2.connect(known, password=secret).close()


def test_it_is_ready_for_change_data_capture(standing: Settings) -> None:
    server = cluster.read(standing)
    [(level, kept)] = query(
        server,
        "select current_setting('wal_level'), "
        "pg_size_bytes(current_setting('max_slot_wal_keep_size'))",
    )
    assert level == "logical"
    assert 0 < kept < 2**40
    names = {name for (name,) in query(server, "select datname from pg_database")}
    assert {"erp", "warehouse", "airflow"} <= names


def test_a_running_server_keeps_its_port(standing: Settings) -> None:
    with pytest.raises(RefusedError, match="keeps its port"):
        postgres.up(standing, new_port=True)


def test_after_kill_9_of_everything_it_is_up_again_with_all_that_was_committed(
    standing: Settings,
) -> None:
    server = cluster.read(standing)
    query(server, "create table killed as select 42 as answer")
    for pid in processes(standing):
        with suppress(ProcessLookupError):  # children may be quick to follow their postmaster
            os.kill(pid, signal.SIGKILL)
    again = postgres.up(standing)
    assert again.port == server.port
    assert query(again, "table killed") == [(42,)]


def test_a_killed_postmaster_with_living_children_is_waited_for(standing: Settings) -> None:
    busy = psycopg2.connect(cluster.read(standing).dsn("erp"))
    busy.cursor().execute("create table never_committed (a int)")
    os.kill(processes(standing)[0], signal.SIGKILL)
    again = postgres.up(standing)
    assert query(again, "select to_regclass('never_committed')") == [(None,)]
    busy.close()


def test_a_busy_port_is_named_and_a_new_one_can_be_had(
    standing: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "PORT_TIMEOUT_S", 0.1)
    port = cluster.read(standing).port
    postgres.down(standing)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(LakehouseError, match=f"port {port}") as caught:
            postgres.up(standing)
        assert "lakehouse up --new-port" in caught.value.hint
        assert postgres.up(standing, new_port=True).port != port


@pytest.mark.parametrize("record", ["{", "[]", "{}", '{"port": "x", "a": 1}', None])
def test_a_broken_record_is_named_and_costs_no_data(standing: Settings, record: str | None) -> None:
    path = standing.postgres_home / "server.json"
    whole = path.read_text("utf8")
    try:
        path.unlink() if record is None else path.write_text(record, "utf8")
        with pytest.raises(LakehouseError, match=r"server\.json.*cannot be read") as caught:
            postgres.erp_dsn(standing)
        assert "--new-port" in caught.value.hint
    finally:
        cluster.write_private(path, whole)


def test_a_broken_record_is_written_anew_as_its_hint_says(standing: Settings) -> None:
    server = cluster.read(standing)
    query(server, "create table recorded as select 42 as answer")
    wrong = {"port": "5432", "socket_folder": "/", "passfile": 1}
    cluster.write_private(standing.postgres_home / "server.json", json.dumps(wrong))
    assert postgres.down(standing)
    Path(server.socket_folder).rmdir()
    with pytest.raises(LakehouseError, match="cannot be read"):
        postgres.up(standing)
    assert query(postgres.up(standing, new_port=True), "table recorded") == [(42,)]


def test_a_lost_password_is_said_at_once(standing: Settings) -> None:
    passfile = standing.postgres_home / "pgpass"
    passfile.chmod(0o644)  # libpq does not look into a passfile that others may read
    try:
        with pytest.raises(LakehouseError, match="does not take the password"):
            postgres.up(standing)
    finally:
        passfile.chmod(0o600)
    postgres.up(standing)


def test_what_keeps_the_server_from_starting_is_quoted(standing: Settings) -> None:
    postgres.down(standing)
    version = standing.postgres_home / "data" / "PG_VERSION"
    whole = version.read_text("utf8")
    try:
        version.write_text("17\n", "utf8")
        with pytest.raises(LakehouseError, match="incompatible with server"):
            postgres.up(standing)
    finally:
        version.write_text(whole, "utf8")
