"""What the environment says, read here and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from psycopg2 import ProgrammingError
from psycopg2.extensions import parse_dsn

from lakehouse.errors import SettingsError

PROJECT = Path(__file__).resolve().parent.parent
ENGINES = ("duckdb", "postgres")
LATER_ENGINES = ("spark",)


@dataclass(frozen=True)
class Settings:
    """Where everything of one lake lives."""

    home: Path
    lake_uri: str
    engine: str
    erp_dsn: str | None
    """Somebody else's ERP server; None means the embedded one."""
    warehouse_dsn: str | None
    """Somebody else's warehouse server; None means the embedded one."""

    @property
    def postgres_home(self) -> Path:
        return self.home / "postgres"

    @property
    def duckdb_path(self) -> Path:
        return self.home / "warehouse.duckdb"

    @property
    def landing_uri(self) -> str:
        return f"{self.lake_uri}/landing"

    @property
    def bronze_uri(self) -> str:
        return f"{self.lake_uri}/bronze"

    @property
    def gold_uri(self) -> str:
        return f"{self.lake_uri}/gold"

    @property
    def needs_embedded_postgres(self) -> bool:
        return self.erp_dsn is None or self.warehouse_dsn is None

    def on_engine(self, engine: str | None) -> Settings:
        """The same lake, built by another engine; None keeps the one that is set."""
        return self if engine is None else replace(self, engine=_engine("--engine", engine))


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings, or say which one is wrong and what it may be."""
    env = os.environ if environ is None else environ
    home = Path(env.get("LAKEHOUSE_HOME") or PROJECT / ".lakehouse").absolute()
    lake_uri = env.get("LAKE_URI") or str(home)
    if "://" in lake_uri:
        raise SettingsError(
            f"LAKE_URI is {lake_uri!r}, and only a local folder is supported so far",
            hint="set LAKE_URI to a folder, or unset it to use LAKEHOUSE_HOME",
        )
    for name in ("ERP_DSN", "WAREHOUSE_DSN"):
        _check_dsn(name, env.get(name) or "")
    return Settings(
        home=home,
        lake_uri=str(Path(lake_uri).absolute()),
        engine=_engine("LAKEHOUSE_ENGINE", env.get("LAKEHOUSE_ENGINE") or ENGINES[0]),
        erp_dsn=env.get("ERP_DSN") or None,
        warehouse_dsn=env.get("WAREHOUSE_DSN") or None,
    )


@contextmanager
def exported(settings: Settings, **others: str) -> Iterator[None]:
    """The settings in this process's environment, for as long as dbt reads its profile there."""
    given = export(settings) | others
    before = {name: os.environ[name] for name in given if name in os.environ}
    os.environ.update(given)
    try:
        yield
    finally:
        for name in given:
            del os.environ[name]
        os.environ.update(before)


def _engine(name: str, value: str) -> str:
    if value in ENGINES:
        return value
    choices = " or ".join(ENGINES)
    if value in LATER_ENGINES:
        raise SettingsError(
            f"{name} is {value!r}, and engine {value} comes later; so far it may be {choices}",
            hint=f"leave {name} out, which means {ENGINES[0]}",
        )
    raise SettingsError(
        f"{name} is {value!r}, and may be {choices}",
        hint=f"set {name} to one of these, or leave it out; .env.example lists every setting",
    )


def _check_dsn(name: str, dsn: str) -> None:
    try:
        parse_dsn(dsn)
    except ProgrammingError as error:
        # Neither the value nor libpq's words are repeated: both may hold a password.
        raise SettingsError(
            f"{name} is no PostgreSQL connection string",
            hint=f"write {name} as postgresql://user@host:port/database, or unset it",
        ) from error


def export(settings: Settings) -> dict[str, str]:
    """The settings as environment variables, for dbt's profile and for child processes."""
    return {
        "LAKEHOUSE_HOME": str(settings.home),
        "LAKE_URI": settings.lake_uri,
        "LAKEHOUSE_ENGINE": settings.engine,
    }
