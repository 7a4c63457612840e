"""What this machine has and lacks, each with the way to get it."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from lakehouse.erp import postgres
from lakehouse.errors import LakehouseError
from lakehouse.lock import make_home
from lakehouse.settings import Settings

LEAST_FREE_GIB = 2
PROGRAMS = ("git", "make")
IDENTITIES = {
    "yourself": "as you",
    "namespace": "as nobody, in a user namespace",
    "ambient": "as nobody, who may pass through closed folders",
}
PACKAGES = (
    "duckdb",
    "duckdb_extension_delta",
    "duckdb_extension_postgres_scanner",
    "deltalake",
    "dbt.adapters.duckdb",
    "great_expectations",
    "airflow",
)


@dataclass(frozen=True)
class Check:
    """One thing looked for."""

    name: str
    needed: bool
    found: bool
    detail: str
    remedy: str


def examine(settings: Settings) -> list[Check]:
    """Look at everything a run may need; nothing is left but the lake's own folder."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    return [
        Check("python >= 3.11", True, sys.version_info >= (3, 11), version, "install Python 3.11+"),
        _postgres(),
        *(_package(name) for name in PACKAGES),
        _folder(settings),
        _disk(settings.home),
        *(_program(name) for name in PROGRAMS),
    ]


def _postgres() -> Check:
    try:
        folder = postgres.binaries()
        how = IDENTITIES[postgres.identity()]
    except LakehouseError as error:
        return Check("postgresql 18", True, False, "", error.hint)
    return Check("postgresql 18", True, True, f"{folder.parent.name}, run {how}", "")


def _package(name: str) -> Check:
    try:
        found = importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # what it lies in is missing
        found = False
    return Check(name, name != "airflow", found, "installed", "run `make setup`")


def _folder(settings: Settings) -> Check:
    try:
        make_home(settings)
    except LakehouseError as error:
        return Check("lake folder", True, False, "", f"{error.what}: {error.hint}")
    return Check("lake folder", True, True, str(settings.home), "")


def _disk(home: Path) -> Check:
    existing = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(existing).free / 2**30
    remedy = f"{free:.1f} GiB are free: make room, or set LAKEHOUSE_HOME to another disk"
    return Check("disk space", True, free >= LEAST_FREE_GIB, f"{free:.0f} GiB free", remedy)


def _program(name: str) -> Check:
    path = shutil.which(name)
    return Check(name, True, path is not None, path or "", "install it from your system's packages")
