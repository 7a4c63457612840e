"""The embedded PostgreSQL 18: started, found and stopped by us, below the lake's folder.

One server holds the databases `erp`, `warehouse` and `airflow`. It listens on loopback and on a
socket, on a port chosen once. Its password lives in a passfile, so that no DSN carries it.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Connection

from lakehouse.erp import cluster
from lakehouse.erp.cluster import Server, binaries, identity
from lakehouse.errors import LakehouseError, RefusedError
from lakehouse.lock import make_home
from lakehouse.settings import Settings

__all__ = [
    "Server",
    "binaries",
    "down",
    "erp_dsn",
    "identity",
    "running",
    "up",
    "warehouse_dsn",
]

DATABASES = ("erp", "warehouse", "airflow")
LONGEST_SOCKET_FOLDER = 80  # a socket's whole path ends at 107 bytes
START_TIMEOUT_S = 120.0  # crash recovery may have much WAL to read
STOP_TIMEOUT_S = 60.0
PREDECESSOR_TIMEOUT_S = 30.0
PREDECESSOR_LIVES = ("pre-existing shared memory block", "lock file")
PORT_TIMEOUT_S = 2.0  # a server killed a moment ago may still be letting go of its port


def up(settings: Settings, *, new_port: bool = False) -> Server:
    """Make the server if there is none, start it unless it runs, and say how to reach it."""
    make_home(settings)
    with _alone(settings):
        data = settings.postgres_home / "data"
        pid = _postmaster(data)
        if pid is None:
            cluster.check_room(settings.postgres_home)
            if not data.exists():
                cluster.make(settings)
            _place(settings, new_port=new_port)
        elif new_port:
            raise RefusedError(
                f"the embedded PostgreSQL (process {pid}) runs, and keeps its port while it does",
                hint="run `lakehouse down`, then `lakehouse up --new-port`",
            )
        server = cluster.read(settings)
        _create_databases(_start(settings, server))
    return server


def down(settings: Settings) -> bool:
    """Stop the server in the fast way; False if it was not running."""
    data = settings.postgres_home / "data"
    if not data.exists():
        return False
    with _alone(settings):
        pid = _postmaster(data)
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
            if not _comes_true(lambda: _postmaster(data) is None, STOP_TIMEOUT_S):
                raise LakehouseError(
                    f"the embedded PostgreSQL (process {pid}) did not stop within a minute",
                    hint=f"see {settings.postgres_home / 'server.log'} for what it waits for",
                )
        with suppress(LakehouseError):  # an unreadable record does not keep a server from stopping
            _remove_sockets(cluster.read(settings))
    return pid is not None


def running(settings: Settings) -> Server | None:
    """The server, if it is up."""
    if _postmaster(settings.postgres_home / "data") is None:
        return None
    return cluster.read(settings)


def erp_dsn(settings: Settings) -> str:
    """Where the ERP is: the one named by the settings, or the embedded one."""
    return settings.erp_dsn or _embedded_dsn(settings, "erp")


def warehouse_dsn(settings: Settings) -> str:
    """Where the served marts are: the database named by the settings, or the embedded one."""
    return settings.warehouse_dsn or _embedded_dsn(settings, "warehouse")


def _embedded_dsn(settings: Settings, database: str) -> str:
    server = running(settings)
    if server is None:
        raise LakehouseError(
            f"the embedded PostgreSQL of {settings.home} is not running",
            hint="run `lakehouse up`",
        )
    return server.dsn(database)


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Let no other process make, start or stop this server meanwhile: it waits for us."""
    home = settings.postgres_home
    with cluster.disk_errors(home):
        home.mkdir(mode=0o700, exist_ok=True)
        with (home / "up.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _place(settings: Settings, *, new_port: bool) -> None:
    """Keep the port, so that clients find the same address again; the socket is a new one."""
    old = None
    try:
        old = cluster.read(settings)
        _remove_sockets(old)
    except LakehouseError:
        if not new_port:
            raise
    port = old.port if old and old.port and not new_port else _free_port()
    if not _comes_true(lambda: _is_free(port), PORT_TIMEOUT_S):
        raise LakehouseError(
            f"port {port}, this lake's PostgreSQL port, is taken by another program",
            hint="stop that program, or run `lakehouse up --new-port`",
        )
    usual = tempfile.gettempdir()
    short = usual if len(os.fsencode(usual)) < LONGEST_SOCKET_FOLDER else "/tmp"
    folder = tempfile.mkdtemp(prefix="lh-", dir=short)
    cluster.save(settings, Server(port, folder, str(settings.postgres_home / "pgpass")))


def _start(settings: Settings, server: Server) -> Connection:
    """Wait until the server answers, starting it unless it runs."""
    data = settings.postgres_home / "data"
    log = settings.postgres_home / "server.log"
    log.touch(mode=0o600)
    began, before = time.monotonic(), log.stat().st_size
    process: subprocess.Popen[bytes] | None = None
    while (connection := _connect(server)) is None:
        is_gone = process is None or process.poll() is not None
        waited = time.monotonic() - began
        if is_gone and _postmaster(data) is None:
            said = log.read_bytes()[before:].decode("utf8", errors="replace")
            # The backends of a killed postmaster hold its memory for a moment: try again.
            held = any(mark in cluster.reason(said) for mark in PREDECESSOR_LIVES)
            if process is not None and not (held and waited < PREDECESSOR_TIMEOUT_S):
                raise _start_error(log, said, "ended at once")
            process = _spawn(data, server, log)
        if waited > START_TIMEOUT_S:
            raise _start_error(log, log.read_text("utf8", "replace"), "does not answer yet")
        time.sleep(0.05)
    return connection


def _spawn(data: Path, server: Server, log: Path) -> subprocess.Popen[bytes]:
    command = [
        *cluster.unprivileged(data),
        *(str(binaries() / "postgres"), "-D", str(data), "-p", str(server.port)),
        *("-c", f"unix_socket_directories={server.socket_folder}"),
    ]
    with log.open("ab") as out:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=data.parent,
            start_new_session=True,  # so that a Ctrl-C meant for us does not stop the server
        )


def _connect(server: Server) -> Connection | None:
    try:
        return psycopg2.connect(server.dsn("postgres"), connect_timeout=5)
    except psycopg2.OperationalError as error:
        if "password" in str(error):
            raise LakehouseError(
                f"the embedded PostgreSQL does not take the password in {server.passfile}",
                hint="unset PGPASSWORD; that file must be as it was made, and private (mode 0600)",
            ) from error
        return None


def _start_error(log: Path, said: str, what: str) -> LakehouseError:
    return LakehouseError(
        f"the embedded PostgreSQL {what}; its log says: {cluster.reason(said)}",
        hint=f"see {log}, mend the cause and run `lakehouse up`; if its data are beyond repair, "
        f"remove {log.parent} and {log.parent.parent / 'cdc' / 'state.json'}, then run "
        "`lakehouse run --demo`: a new ERP over the same bronze, and nothing served until it is "
        "through",
    )


def _create_databases(connection: Connection) -> None:
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute("select datname from pg_database")
            present = {name for (name,) in cursor}
            for name in DATABASES:
                if name not in present:
                    cursor.execute(f"create database {name}")
    finally:
        connection.close()


def _postmaster(data: Path) -> int | None:
    """The process id of the server that runs on this data folder."""
    try:
        pid = int((data / "postmaster.pid").read_text("utf8").split("\n", 1)[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    # A pid may have gone to another program since a kill -9; ours names its data folder.
    return pid if os.fsencode(data) in command.split(b"\0") else None


def _remove_sockets(server: Server) -> None:
    # Only what PostgreSQL puts there, because the record may have been tampered with.
    folder = Path(server.socket_folder)
    for path in folder.glob(".s.PGSQL.*"):
        path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _comes_true(condition: Callable[[], bool], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not (done := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return done
