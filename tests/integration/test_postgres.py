"""The embedded PostgreSQL: private, found again, and up again whatever happened to it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from lakehouse import settings as lakehouse_settings
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


@pytest.fixture
def small_disk(lake: Settings) -> Iterator[Path]:
    """The lake's folder on a disk of 24 MB."""
    lake.home.mkdir(mode=0o700)
    options = "size=24m,mode=0700"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(lake.home)]
    if shutil.which("mount") is None or subprocess.run(command, check=False).returncode != 0:
        pytest.skip("only root may mount a small disk")
    yield lake.home
    subprocess.run(["umount", str(lake.home)], check=True)


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


def test_a_checkout_that_is_closed_to_others_is_no_hindrance(
    lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = lake.home.parent / "closed"
    closed.mkdir(mode=0o700)
    package = cluster.binaries().parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    copied = closed / package.name / "pginstall18"
    shutil.copytree(package / "pginstall18", copied, symlinks=True)
    shutil.copytree(libraries, closed / libraries.name)
    for module in (cluster, postgres):
        monkeypatch.setattr(module, "binaries", lambda: copied / "bin")
    postgres.up(lake)
    pid = processes(lake)[0]
    assert Path(f"/proc/{pid}/exe").readlink().is_relative_to(closed)


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


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become nobody")
@pytest.mark.parametrize("mode", ["namespace", "ambient"])
def test_root_runs_it_as_nobody(mode: str, lake: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    command = [*cluster._as_nobody(mode), "/bin/true"]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip(f"this machine does not allow the way `{mode}`")
    monkeypatch.setattr(cluster, "identity", lambda: mode)
    server = postgres.up(lake)
    query(server, "create table kept as select 42 as answer")
    status = Path(f"/proc/{processes(lake)[0]}/status").read_text("utf8")
    uid = next(line.split()[1] for line in status.splitlines() if line.startswith("Uid:"))
    assert uid == {"namespace": "0", "ambient": "65534"}[mode]  # as seen from outside
    if mode == "ambient":  # another container may allow the other way, which takes the data over
        postgres.down(lake)
        monkeypatch.undo()
        assert query(postgres.up(lake), "table kept") == [(42,)]


INTERRUPTED = """
import os, signal, subprocess, sys
from lakehouse import settings
from lakehouse.erp import postgres

run = subprocess.run

def interrupted(command, **options):
    done = run(command, **options)
    if any("initdb" in part for part in command):
        os.kill(os.getpid(), getattr(signal, sys.argv[1]))
    return done

subprocess.run = interrupted
postgres.up(settings.load())
"""
UP = """
from lakehouse import settings
from lakehouse.erp import postgres

postgres.up(settings.load())
"""


def start(lake: Settings, *script: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", *script],
        env=lakehouse_settings.export(lake),
        cwd=lakehouse_settings.PROJECT,
        stderr=subprocess.PIPE,
        # A shell's background job would have it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_ctrl_c_in_initdb_leaves_nothing(lake: Settings) -> None:
    _, said = start(lake, INTERRUPTED, "SIGINT").communicate()
    assert b"KeyboardInterrupt" in said
    assert [path.name for path in lake.postgres_home.iterdir()] == ["up.lock"]


def test_after_kill_9_in_initdb_two_at_once_make_one_whole_server(lake: Settings) -> None:
    dead = start(lake, INTERRUPTED, "SIGKILL")
    dead.communicate()
    assert dead.returncode == -9
    assert not (lake.postgres_home / "data").exists()
    both = [start(lake, UP), start(lake, UP)]
    assert [process.communicate()[1] for process in both] == [b"", b""]
    assert query(cluster.read(lake), "select 42") == [(42,)]
    assert not list(lake.postgres_home.glob("new-*"))


def test_a_full_disk_is_named_before_anything_is_made(lake: Settings, small_disk: Path) -> None:
    with pytest.raises(LakehouseError, match=f"{small_disk}.* has .* MB left"):
        postgres.up(lake)
    assert not (lake.postgres_home / "data").exists()


def test_a_disk_that_fills_up_in_initdb_leaves_nothing(
    lake: Settings, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "ROOM_MB", 0)
    with pytest.raises(LakehouseError, match="No space left on device"):
        postgres.up(lake)
    assert {path.name for path in (small_disk / "postgres").iterdir()} == {"up.lock"}


def test_a_read_only_folder_is_named(lake: Settings, small_disk: Path) -> None:
    lake.postgres_home.mkdir(mode=0o700)
    bind = ["mount", "--bind", str(lake.postgres_home), str(lake.postgres_home)]
    subprocess.run(bind, check=True)
    try:
        subprocess.run([*bind[:1], "-o", "remount,bind,ro", bind[-1]], check=True)
        with pytest.raises(LakehouseError, match=f"{small_disk}.*Read-only file system"):
            postgres.up(lake)
    finally:
        subprocess.run(["umount", str(lake.postgres_home)], check=True)
