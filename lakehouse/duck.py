"""DuckDB: the warehouse's file, a cache of bronze, and an empty database beside it.

One process at a time writes the file, under the lake's lock. dbt opens it by itself, the same way:
see dbt/profiles.yml.
"""

from __future__ import annotations

import importlib.util
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from lakehouse.errors import LakehouseError, one_line
from lakehouse.lock import make_home
from lakehouse.settings import Settings

REBUILD = "run `lakehouse rebuild`: it drops the file and builds it again from bronze"
DAMAGE = (
    "not a valid DuckDB database",
    "Could not read enough bytes",
    "Corrupt",
    "corrupt",
    "checksum",
    "Serialization Error",
    "INTERNAL Error",
    "FATAL Error",
)


class WarehouseDamagedError(LakehouseError):
    """The file cannot be read as a database: a rebuild replaces it."""


@contextmanager
def warehouse(
    settings: Settings, *, read_only: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse's file; whoever only reads needs it to be there."""
    if not read_only:
        make_home(settings)
    elif not settings.duckdb_path.exists():
        raise LakehouseError(
            f"there is no warehouse at {settings.duckdb_path}",
            hint="run `lakehouse transform`: it builds the warehouse from bronze",
        )
    with (
        _interruptible(),
        explained(settings),
        _connect(settings, str(settings.duckdb_path), read_only=read_only) as connection,
    ):
        yield connection


@contextmanager
def in_memory(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database of nothing, to read others with."""
    with _interruptible(), _connect(settings, ":memory:") as connection:
        yield connection


def load(connection: duckdb.DuckDBPyConnection, extension: str) -> None:
    """Load an extension from its wheel: no network, and no copy that grows old."""
    spec = importlib.util.find_spec(f"duckdb_extension_{extension}")
    file = Path("no wheel of that name")
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent / "extensions" / f"v{duckdb.__version__}"
        file = folder / f"{extension}.duckdb_extension"
    if not file.exists():
        raise LakehouseError(
            f"DuckDB {duckdb.__version__} has no extension {extension} here ({file})",
            hint="run `make setup`: the extension comes with the locked packages",
        )
    connection.load_extension(str(file))


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let a Ctrl-C in a query be one: DuckDB makes it a RuntimeError."""
    try:
        yield
    except RuntimeError as error:
        if "interrupted" in str(error).lower():
            raise KeyboardInterrupt from error
        raise


@contextmanager
def explained(settings: Settings) -> Iterator[None]:
    """Turn what DuckDB says about its file into what happened and the way on."""
    try:
        yield
    except duckdb.Error as error:
        text = one_line(error)
        raise broken(settings, text) or LakehouseError(
            f"DuckDB could not work on {settings.duckdb_path}: {text}",
            hint="mend what it names, then run the same command again",
        ) from error


def broken(settings: Settings, text: str) -> LakehouseError | None:
    """The error that a message of DuckDB's stands for, when it is about the file as a whole."""
    path = settings.duckdb_path
    if "Could not set lock on file" in text:
        return LakehouseError(
            f"{path} is open in another process: {text}",
            hint="close whatever has it open, then run the same command again",
        )
    if "No space left on device" in text:
        return LakehouseError(
            f"no space is left on the disk for {path}",
            hint="free some space, then run the same command again",
        )
    if any(sign in text for sign in DAMAGE):
        return WarehouseDamagedError(f"the warehouse file {path} is damaged: {text}", hint=REBUILD)
    return None


def drop(settings: Settings) -> None:
    """Remove the file and its log; whatever lies there instead of a file stays."""
    for path in (settings.duckdb_path, settings.duckdb_path.with_name("warehouse.duckdb.wal")):
        if path.exists() and stat.S_ISREG(path.stat().st_mode):
            path.unlink()


def _connect(
    settings: Settings, database: str, *, read_only: bool = False
) -> duckdb.DuckDBPyConnection:
    """In UTC, with nothing fetched, and nothing of it in the user's home."""
    folder = settings.home / "duckdb"
    config: dict[str, str | bool | int | float | list[str]] = {
        "extension_directory": str(folder / "extensions"),
        "secret_directory": str(folder / "secrets"),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    connection = duckdb.connect(database, read_only=read_only, config=config)
    connection.execute("set TimeZone = 'UTC'")
    return connection
