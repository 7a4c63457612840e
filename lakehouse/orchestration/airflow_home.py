"""The folder of one lake's Airflow: its configuration, keys and password, and how to call it.

One generated `airflow.cfg` says all of it, so that `AIRFLOW_HOME=<home>/airflow airflow …` typed
by hand means the same Airflow. Nobody but the owner of the lake's folder can read its secrets.
"""

from __future__ import annotations

import configparser
import io
import json
import secrets
import socket
import sys
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from lakehouse.erp.cluster import Server, write_private
from lakehouse.errors import LakehouseError
from lakehouse.orchestration import lineage
from lakehouse.settings import PROJECT, Settings, export

USER = "admin"
PORTS = (("api", "port"), ("lakehouse", "pages_port"))
POOL = "lake"
"""Airflow's pool of one slot, which every task that writes the lake takes."""
KEYS = (("core", "fernet_key", 32), ("api", "secret_key", 32), ("api_auth", "jwt_secret", 64))


@dataclass(frozen=True)
class Airflow:
    """Where one lake's Airflow lives and how to reach it."""

    home: Path
    port: int
    pages_port: int
    """Of the pages beside it: Data Docs, dbt's documentation, runbooks."""

    @property
    def pages_url(self) -> str:
        return f"http://127.0.0.1:{self.pages_port}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def configuration(self) -> Path:
        return self.home / "airflow.cfg"

    @property
    def passwords(self) -> Path:
        """Airflow's own file of users and passwords: `{"admin": "…"}`."""
        return self.home / "passwords.json"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def lineage(self) -> Path:
        return lineage.folder(self.home.parent)

    def log(self, component: str) -> Path:
        return self.logs / f"{component}.log"


def configure(settings: Settings, server: Server) -> Airflow:
    """Make the folder or renew what has changed: ports may move, keys and password stay."""
    home = settings.home / "airflow"
    former = _former(home / "airflow.cfg")
    airflow = Airflow(home, *_free_ports(former))
    file = configparser.ConfigParser(interpolation=None)
    file.read_dict(_options(airflow, server))
    for section, option, length in KEYS:
        made = urlsafe_b64encode(secrets.token_bytes(length)).decode()
        file[section][option] = former.get(section, option, fallback=made)
    text = io.StringIO()
    file.write(text)
    try:
        airflow.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        airflow.lineage.mkdir(mode=0o700, exist_ok=True)
        if not airflow.passwords.exists():
            _replace(airflow.passwords, json.dumps({USER: secrets.token_urlsafe(18)}))
        _replace(airflow.configuration, text.getvalue())
    except OSError as error:
        raise LakehouseError(
            f"Airflow's folder {home} cannot be written: {error.strerror}",
            hint="make room there and make it writable, then run the same command again",
        ) from error
    return airflow


def _replace(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    write_private(new, text)
    new.replace(path)


def _former(path: Path) -> configparser.ConfigParser:
    """What was configured the last time; nothing the first time."""
    file = configparser.ConfigParser(interpolation=None)
    try:
        file.read(path, "utf8")
        for section, option in PORTS:
            file.getint(section, option, fallback=0)
    except (configparser.Error, ValueError) as error:
        raise LakehouseError(
            f"{path}, which holds Airflow's keys, cannot be read: {error}",
            hint="remove it for a new one; connections saved in Airflow must then be saved again",
        ) from error
    return file


def command(settings: Settings, airflow: Airflow, *arguments: str) -> list[str]:
    """A call of Airflow's own command line that no variable of the caller's shell can lead away."""
    file = _former(airflow.configuration)
    ours = (
        f"AIRFLOW__{part}__{option}".upper() for part in file.sections() for option in file[part]
    )
    variables = export(settings) | {
        "AIRFLOW_HOME": str(airflow.home),
        "AIRFLOW_CONFIG": str(airflow.configuration),
        # A task's process ends without Python's tidying up: dbt's locks would be called leaked, as
        # an error in the log of each green task.
        "PYTHONWARNINGS": "ignore:resource_tracker:UserWarning",
    }
    return [
        "env",
        *(argument for name in ours for argument in ("-u", name)),
        *(f"{name}={value}" for name, value in variables.items()),
        *(sys.executable, "-m", "airflow", *arguments),
    ]


def _options(airflow: Airflow, server: Server) -> dict[str, dict[str, str]]:
    """What differs from Airflow's defaults."""
    options = _places(airflow, server) | _for_two_cores()
    options["core"]["parallelism"] = "2"
    return options


def _places(airflow: Airflow, server: Server) -> dict[str, dict[str, str]]:
    """Where things are: below the lake's home, and on loopback only."""
    dsn = server.dsn("airflow").replace("postgresql:", "postgresql+psycopg2:", 1)
    events = {"type": "file", "log_file_path": f"{airflow.lineage}/airflow"}
    return {
        "core": {
            "dags_folder": str(PROJECT / "dags"),
            "plugins_folder": str(airflow.home / "plugins"),
            "load_examples": "False",
            "executor": "LocalExecutor",
            "execution_api_server_url": f"{airflow.url}/execution/",
            # The default asks a name server, and waits for it where there is no network.
            "hostname_callable": "socket.gethostname",
            "simple_auth_manager_users": f"{USER}:admin",
            "simple_auth_manager_passwords_file": str(airflow.passwords),
        },
        "database": {
            # The passfile is known to psycopg2 and to asyncpg, for which Airflow derives a DSN.
            "sql_alchemy_conn": dsn.replace("%", "%%"),
            "sql_alchemy_pool_size": "2",
        },
        "logging": {"base_log_folder": str(airflow.logs)},
        "api": {"host": "127.0.0.1", "port": str(airflow.port), "base_url": airflow.url},
        "api_auth": {},
        "lakehouse": {"pages_port": str(airflow.pages_port), "pages_url": airflow.pages_url},
        "openlineage": {
            "namespace": lineage.NAMESPACE,
            # A fork of the whole task for each event costs more than the event.
            "execute_in_thread": "True",
            # A file an event: tasks end at the same time, and none waits for another.
            "transport": json.dumps(events),
        },
        "dag_processor": {
            "parsing_processes": "1",
            # The default is in the system's temporary folder.
            "dag_bundle_storage_path": str(airflow.home / "bundles"),
        },
    }


def _for_two_cores() -> dict[str, dict[str, str]]:
    """How long Airflow's parts wait for each other."""
    return {
        "scheduler": {
            "scheduler_idle_sleep_time": "0.2",
            # How long a run that was cut off with Airflow itself blocks the next one.
            "task_instance_heartbeat_timeout": "60",
        },
        # A worker may wait that long, five seconds by default, before it sees that its task ended.
        "workers": {"min_heartbeat_interval": "1"},
    }


def _free_ports(former: configparser.ConfigParser) -> Iterator[int]:
    """The ports of the last time, or others where somebody has them; none of them twice."""
    with ExitStack() as held:
        for section, option in PORTS:
            probe = held.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", former.getint(section, option, fallback=0)))
            except (OSError, OverflowError):
                probe.bind(("127.0.0.1", 0))
            yield int(probe.getsockname()[1])
