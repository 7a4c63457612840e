"""Airflow on loopback, kept by us: its database made, its processes started, watched and stopped.

Its metadata live in the embedded PostgreSQL.
"""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import psycopg2
from psycopg2.extensions import cursor as Cursor

from lakehouse.erp import postgres
from lakehouse.errors import LakehouseError, RefusedError
from lakehouse.lock import acquired, make_home
from lakehouse.orchestration import pages
from lakehouse.orchestration.airflow_home import POOL, Airflow, command, configure
from lakehouse.orchestration.processes import Child, end, spawn, until_stopped
from lakehouse.progress import log, progress
from lakehouse.settings import Settings

# Scheduler and triggerer would serve their logs on every interface; the API server reads the files.
COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
JOBS = ("scheduler", "dag_processor", "triggerer")
START_TIMEOUT_S = 180.0
MOST_REVIVED, REVIVED_WITHIN_S = 5, 600.0
ONE_WRITER = """
    insert into slot_pool (pool, slots, description, include_deferred)
    values (%s, 1, 'A lake has one writer.', false)
    on conflict (pool) do update set slots = 1
"""


def prepare(settings: Settings) -> Airflow:
    """Make what Airflow needs, or renew what has changed, and bring its database up to date."""
    with _alone(settings):
        return _prepare(settings)


@contextmanager
def running(settings: Settings) -> Iterator[Callable[[], Airflow]]:
    """Airflow up and healthy for as long as the block runs.

    What the block gets says how to reach it. Called now and then, it starts again what has ended,
    and raises once something ends again and again.
    """
    with _alone(settings):
        airflow = _prepare(settings)
        components = _Components(settings, airflow)
        try:
            since = datetime.now(UTC)
            components.start()
            with progress("Airflow starts"):
                _wait_until_healthy(airflow, components.children, since)

            def alive() -> Airflow:
                components.revive()
                return airflow

            yield alive
        finally:
            components.end()


class _Components:
    """Airflow's processes. Each ends when its database goes away, and knows no way back."""

    def __init__(self, settings: Settings, airflow: Airflow) -> None:
        self.settings = settings
        self.airflow = airflow
        self.children: dict[str, Child] = {}
        self.revived: list[float] = []

    def start(self, *names: str) -> None:
        for name in names or COMPONENTS:
            started = command(self.settings, self.airflow, *COMPONENTS[name])
            self.children[name] = spawn(started, self.airflow.log(name))

    def revive(self) -> None:
        """Start again what has ended, once the server is there; but not for ever."""
        ended = [name for name, child in self.children.items() if child.poll() is not None]
        if not ended or postgres.running(self.settings) is None:
            return
        self.revived = [at for at in self.revived if at > time.monotonic() - REVIVED_WITHIN_S]
        if len(self.revived) >= MOST_REVIVED:
            _check(self.airflow, self.children)
        log.warning("Airflow's %s ended, and is started again", ", ".join(ended))
        self.revived.append(time.monotonic())
        for name in ended:
            end(self.children[name])  # what it has left of its session
        self.start(*ended)

    def end(self) -> None:
        # The API server last, so that tasks can still report how they ended.
        for child in reversed(self.children.values()):
            end(child)


def serve(settings: Settings, ready: Callable[[Airflow], None]) -> None:
    """Keep Airflow and its pages up until Ctrl-C or SIGTERM; call `ready` when both can be used."""
    with (
        until_stopped(),
        running(settings) as alive,
        pages.serving(settings, alive().pages_port),
    ):
        ready(alive())
        while True:
            time.sleep(1)
            alive()


def _prepare(settings: Settings) -> Airflow:
    server = postgres.up(settings)
    airflow = configure(settings, server)
    with closing(psycopg2.connect(server.dsn("airflow"))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            _migrate(settings, airflow, cursor)
            cursor.execute(ONE_WRITER, (POOL,))
    return airflow


def _migrate(settings: Settings, airflow: Airflow, cursor: Cursor) -> None:
    """Bring the metadata database to this Airflow's version, once a version."""
    # Airflow's own check costs seconds at every start, so the database carries our mark.
    mark = f"migrated by Airflow {_version()}"
    cursor.execute(
        "select shobj_description(oid, 'pg_database') from pg_database"
        " where datname = current_database()"
    )
    if cursor.fetchone() == (mark,):
        return
    with progress("Airflow's database is brought up to date"):
        said = airflow.log("migrate")
        migration = spawn(command(settings, airflow, "db", "migrate"), said)
        try:
            status = migration.wait()
        finally:
            end(migration)
    if status != 0:
        raise LakehouseError(
            f"Airflow's database could not be brought up to date (status {status})",
            hint=f"see {said}",
        )
    cursor.execute("comment on database airflow is %s", (mark,))


def _version() -> str:
    try:
        return version("apache-airflow-core")
    except PackageNotFoundError:
        raise LakehouseError(
            "Airflow is not installed beside this lakehouse",
            hint="run `make setup`, or install requirements/airflow.txt",
        ) from None


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """One Airflow a lake: a second one would take the first one's port and database."""
    make_home(settings)
    folder = settings.home / "airflow"
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / "airflow.lock").open("a+", encoding="utf8") as file:
        if not acquired(file):
            file.seek(0)
            raise RefusedError(
                f"the Airflow of {settings.home} is up already, under process {file.read()}",
                hint="use that one, or end it with Ctrl-C where it runs",
            )
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _wait_until_healthy(airflow: Airflow, children: Mapping[str, Child], since: datetime) -> None:
    """Until each of this start's jobs has given a sign of life."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        _check(airflow, children)
        if all(beat is not None and beat > since for beat in heartbeats(airflow)):
            return
        if time.monotonic() > deadline:
            raise LakehouseError(
                f"Airflow was not healthy after {START_TIMEOUT_S:.0f} s",
                hint=f"see the logs in {airflow.logs}",
            )
        time.sleep(0.25)


def heartbeats(airflow: Airflow) -> list[datetime | None]:
    """When each job has last given a sign of life."""
    health = _health(airflow)
    beats = [health.get(job, {}).get(f"latest_{job}_heartbeat") for job in JOBS]
    return [datetime.fromisoformat(beat) if beat else None for beat in beats]


def _health(airflow: Airflow) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", airflow.port, timeout=10)
    try:
        connection.request("GET", "/api/v2/monitor/health")
        return dict(json.loads(connection.getresponse().read()))
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    finally:
        connection.close()


def _check(airflow: Airflow, children: Mapping[str, Child]) -> None:
    for name, child in children.items():
        if child.poll() is not None:
            raise LakehouseError(
                f"Airflow's {name} ended by itself (status {child.returncode})",
                hint=f"see {airflow.log(name)}, then start Airflow again",
            )
