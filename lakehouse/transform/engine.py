"""The DuckDB file: a cache of bronze, opened by one process at a time, under the lake's lock."""

from __future__ import annotations

import importlib.util
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from lakehouse.errors import LakehouseError
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
def warehouse(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse's DuckDB file, in UTC, with nothing of it in the user's home."""
    make_home(settings)
    folder = settings.home / "duckdb"
    config: dict[str, str | bool | int | float | list[str]] = {
        "extension_directory": str(folder / "extensions"),
        "secret_directory": str(folder / "secrets"),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    with (
        explained(settings),
        duckdb.connect(str(settings.duckdb_path), config=config) as connection,
    ):
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def load_delta(connection: duckdb.DuckDBPyConnection) -> None:
    """Load the delta extension from its wheel: no network, and no copy that grows old."""
    spec = importlib.util.find_spec("duckdb_extension_delta")
    file = Path("no wheel of that name")
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent / "extensions" / f"v{duckdb.__version__}"
        file = folder / "delta.duckdb_extension"
    if not file.exists():
        raise LakehouseError(
            f"DuckDB {duckdb.__version__} has no delta extension here ({file})",
            hint="run `make setup`: the extension comes with the locked packages",
        )
    connection.load_extension(str(file))


@contextmanager
def explained(settings: Settings) -> Iterator[None]:
    """Turn what DuckDB says about its file into what happened and the way on."""
    try:
        yield
    except duckdb.Error as error:
        text = " ".join(str(error).split())
        raise broken(settings, text) or LakehouseError(
            f"DuckDB could not work on {settings.duckdb_path}: {text}", hint=REBUILD
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
