"""DuckDB with its PostgreSQL extension from the wheel, so that nothing is fetched or installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import duckdb

from lakehouse.errors import LakehouseError

CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


@contextmanager
def duck(path: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database file to read, or an empty one in memory."""
    if path is not None and not path.exists():
        raise LakehouseError(
            f"there is no warehouse at {path}, so there are no marts to publish",
            hint="run `lakehouse transform`: it builds the warehouse from bronze",
        )
    try:
        connection = duckdb.connect(path or ":memory:", read_only=path is not None, config=CONFIG)
    except duckdb.Error as error:
        raise LakehouseError(
            f"the warehouse {path} cannot be opened: {first_line(error)}",
            hint="close what holds it; if it is broken, `lakehouse rebuild` makes it from bronze",
        ) from error
    with connection:
        connection.execute(f"load '{_extension()}'")
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def first_line(error: Exception) -> str:
    """What an error of a database says first; the rest is about its own insides."""
    return next(iter(str(error).strip().splitlines()), repr(error))


def _extension() -> str:
    wheel = resources.files("duckdb_extension_postgres_scanner")
    return f"{wheel}/extensions/v{duckdb.__version__}/postgres_scanner.duckdb_extension"
