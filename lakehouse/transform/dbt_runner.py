"""dbt in this process: started lazily, quiet on stdout, its log and its cache below the lake."""

from __future__ import annotations

import fcntl
import gc
import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg2.extensions import parse_dsn

from lakehouse import duck
from lakehouse.erp import postgres
from lakehouse.errors import LakehouseError, SettingsError, one_line
from lakehouse.progress import Advance, progress
from lakehouse.settings import PROJECT, Settings, exported

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

log = logging.getLogger("lakehouse.dbt")

PROJECT_FOLDER = PROJECT / "dbt"
FINISHED = "NodeFinished"
BAD = ("error", "fail", "runtime error")
NO_NODES = "does not match any enabled nodes"
LIBPQ = {
    "dbname": "PGDATABASE",
    "application_name": "PGAPPNAME",
    "password": "DBT_ENV_SECRET_PGPASSWORD",
}
"""Variables that are not called as the parameter is."""


@dataclass(frozen=True)
class NodeResult:
    """What became of one model or test."""

    node: str
    kind: str
    status: str
    seconds: float
    failures: int | None
    message: str | None
    compiled_code: str | None
    table: str | None
    """A table that it made, by schema and name."""

    @property
    def is_bad(self) -> bool:
        return self.status in BAD


def parse(settings: Settings) -> Manifest:
    """Read the project, from dbt's cache where nothing has changed; one process at a time."""
    from dbt.contracts.graph.manifest import Manifest

    folder = settings.home / "dbt"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "parse.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = _invoke(settings, None, ["parse"], None)
    assert isinstance(result, Manifest)
    return result


def has_parsed(settings: Settings) -> bool:
    """Whether dbt has a cache of the project, without which reading it takes many seconds."""
    return (target(settings) / "partial_parse.msgpack").exists()


def bronze_tables(manifest: Manifest) -> list[str]:
    """The bronze tables that the models read, as `<source>/<entity>`."""
    return [
        f"{source.schema}/{source.identifier}"
        for source in manifest.sources.values()
        if source.schema != "ops"  # the engine's own, written before the build
    ]


def execute(
    settings: Settings, manifest: Manifest, what: str, arguments: Sequence[str]
) -> list[NodeResult]:
    """Run a dbt command over nodes and say what became of each; a node that fails is a result."""
    with progress(what, None) as advance:
        result = _invoke(settings, manifest, arguments, advance)
    return [_node_result(node) for node in result]


def document(settings: Settings) -> Path:
    """Make dbt's documentation of models, columns and lineage: one page that needs no other file.

    It asks the warehouse for its columns, and so holds its file like a build does.
    """
    with progress("dbt docs", None) as advance:
        _invoke(settings, None, ["docs", "generate", "--static"], advance)
    page = settings.home / "dbt" / "docs" / "index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(target(settings) / "static_index.html", page)
    return page


def target(settings: Settings) -> Path:
    """Where dbt leaves what it made of the project, and its cache: one for each engine."""
    return settings.home / "dbt" / "target" / settings.engine


@contextmanager
def environment(settings: Settings) -> Iterator[None]:
    """All that dbt's profile asks the environment for."""
    with exported(settings, **_server(settings)):
        yield


def _invoke(
    settings: Settings, manifest: Manifest | None, arguments: Sequence[str], advance: Advance | None
) -> Any:
    # dbt takes seconds to import.
    from dbt.cli.main import dbtRunner

    folder = settings.home / "dbt"
    command = [
        *arguments,
        *("--project-dir", str(PROJECT_FOLDER), "--profiles-dir", str(PROJECT_FOLDER)),
        *("--target-path", str(target(settings))),
        *("--log-path", str(folder / "logs")),
        *("--log-level", "none", "--log-level-file", "info", "--no-use-colors"),
        *("--no-version-check", "--no-send-anonymous-usage-stats"),
    ]
    try:
        with environment(settings), _rarely_collecting():
            done = dbtRunner(manifest=manifest, callbacks=[partial(_heard, advance)]).invoke(
                command
            )
    finally:
        _close_database()
    if isinstance(done.exception, KeyboardInterrupt):
        raise done.exception  # dbt hands everything back, Ctrl-C too
    if done.result is None:
        text = _short(str(done.exception or "no reason given"))
        if NO_NODES in text:
            raise SettingsError(
                f"nothing to do for dbt {arguments[0]}: {text}",
                hint="name models as `find dbt/models -name '*.sql'` shows them, or in dbt's "
                "selection syntax",
            ) from done.exception
        raise duck.broken(settings, text) or LakehouseError(
            f"dbt {arguments[0]} could not start: {text}",
            hint=f"see {folder / 'logs' / 'dbt.log'}",
        ) from done.exception
    return done.result


def _heard(advance: Advance | None, event: Any) -> None:
    """Say what became of a node as soon as it is known."""
    if event.info.name != FINISHED:
        return
    if advance is not None:
        advance(1)
    node, result = event.data.node_info.node_name, event.data.run_result
    level = logging.ERROR if result.status in BAD else logging.INFO
    log.log(level, "%s: %s in %.2f s", node, result.status, result.execution_time)


@contextmanager
def _rarely_collecting() -> Iterator[None]:
    """Look for garbage less often: dbt holds a million objects for as long as it works."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _server(settings: Settings) -> dict[str, str]:
    """How dbt and its libpq reach the warehouse server; a password goes by a name dbt keeps."""
    if settings.engine == "duckdb":
        return {}
    given = parse_dsn(postgres.warehouse_dsn(settings))
    return {
        **{LIBPQ.get(name, f"PG{name.upper()}"): str(value) for name, value in given.items()},
        "PGTZ": "UTC",
        "PGDATESTYLE": "ISO",
    }


def _close_database() -> None:
    """Let go of the file, which dbt would keep open as long as this process lives."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    manager: Any = DuckDBConnectionManager
    if manager._ENV is not None:
        manager.env().close()
        manager.close_all_connections()


def _node_result(result: Any) -> NodeResult:
    return NodeResult(
        node=result.node.name,
        kind=str(result.node.resource_type),
        status=str(result.status),
        seconds=round(result.execution_time, 3),
        failures=result.failures,
        message=_short(result.message) if result.message else None,
        compiled_code=getattr(result.node, "compiled_code", None),
        table=_table(result.node) if str(result.status) == "success" else None,
    )


def _table(node: Any) -> str | None:
    is_table = node.config.materialized not in ("view", "ephemeral", "test")
    return f'"{node.schema}"."{node.alias}"' if is_table else None


def _short(text: str) -> str:
    return one_line(text)[:1000]
