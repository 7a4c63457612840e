"""The database in which the models are built, whichever engine builds them.

Both are looked at through DuckDB: the warehouse's own file, or PostgreSQL's database attached to an
empty one. So one statement asks both, and what it answers is compared without a conversion.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb

from lakehouse import bridge, duck, ops
from lakehouse.settings import Settings

LAYERS = ("staging", "vault", "intermediate", "marts")
BRONZE = "bronze"
"""The schema that holds a copy of bronze, where the engine cannot read it in place."""


def schema(settings: Settings, layer: str) -> str:
    """The schema in which the engine has the models of a layer."""
    # On PostgreSQL `marts` is what is served, and belongs to the swap.
    return layer if settings.engine == "duckdb" else f"dbt_{layer}"


@contextmanager
def database(settings: Settings, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """The engine's database, as DuckDB sees it."""
    if settings.engine == "duckdb":
        with duck.warehouse(settings, read_only=read_only) as connection:
            yield connection
        return
    with (
        duck.in_memory(settings) as connection,
        bridge.attached(connection, settings, read_only=read_only),
    ):
        connection.execute("use warehouse")
        yield connection


def ask(settings: Settings, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of a query in the engine's own SQL."""
    if settings.engine == "duckdb":
        with duck.warehouse(settings) as connection:
            duck.load(connection, "delta")  # a staging view reads bronze
            found = connection.execute(query)
            return [column[0] for column in found.description or ()], found.fetchall()
    with ops.warehouse(settings) as server, server.cursor() as cursor:
        cursor.execute(query)
        return [column.name for column in cursor.description or ()], cursor.fetchall()


def drop_models(settings: Settings) -> None:
    """Remove every model, those that the project has no more as well; what is served stays."""
    with database(settings) as connection:
        for layer in reversed(LAYERS):
            connection.execute(f"drop schema if exists {schema(settings, layer)} cascade")


def drop(settings: Settings) -> None:
    """Remove all that the engine has built or copied; what is served stays."""
    if settings.engine == "duckdb":
        duck.drop(settings)
        return
    drop_models(settings)
    with ops.warehouse(settings) as connection, connection.cursor() as cursor:
        cursor.execute(f"drop schema if exists {BRONZE} cascade")
        cursor.execute("drop table if exists ops.run_context, ops.built_models")
