"""The engines that build marts, as publish sees them: a catalogue, and rows as COPY reads them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, Protocol

import duckdb
import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from lakehouse import duck, ops, piping
from lakehouse import engine as building
from lakehouse.errors import LakehouseError, first_line
from lakehouse.publish.marts import Column, Mart, served_type
from lakehouse.settings import Settings

DUCKDB_TABLES = """
    select table_name, trim(comment, e' \\n'), estimated_size
    from duckdb_tables() where schema_name = 'marts' order by 1
"""
DUCKDB_COLUMNS = """
    select table_name, column_name, data_type, not is_nullable, trim(comment, e' \\n')
    from duckdb_columns() where schema_name = 'marts' order by table_name, column_index
"""
DUCKDB_KEYS = """
    select table_name, constraint_type = 'PRIMARY KEY', constraint_column_names
    from duckdb_constraints()
    where schema_name = 'marts' and constraint_type in ('PRIMARY KEY', 'UNIQUE')
    order by table_name, constraint_index
"""
POSTGRES_TABLES = """
    select relname::text, trim(obj_description(oid, 'pg_class'), e' \\n'),
        greatest(reltuples, 0)::bigint
    from pg_class where relnamespace = to_regnamespace(%(schema)s) and relkind = 'r' order by 1
"""
POSTGRES_COLUMNS = """
    select relname::text, attname::text, format_type(atttypid, atttypmod), attnotnull,
        trim(col_description(attrelid, attnum), e' \\n')
    from pg_attribute join pg_class on pg_class.oid = attrelid
    where relnamespace = to_regnamespace(%(schema)s) and relkind = 'r'
        and attnum > 0 and not attisdropped
    order by relname, attnum
"""
POSTGRES_KEYS = """
    select relname::text, contype = 'p', array(
        select attname::text from unnest(conkey) with ordinality as of (attnum, place)
        join pg_attribute using (attnum) where attrelid = conrelid order by place
    )
    from pg_constraint join pg_class on pg_class.oid = conrelid
    where relnamespace = to_regnamespace(%(schema)s) and contype in ('p', 'u')
    order by relname, conname
"""
AS_OF = "select max(as_of_date) from ops.run_context"
Rows = list[tuple[Any, ...]]


class Engine(Protocol):
    """Where the marts were built."""

    def describe(self) -> tuple[date | None, list[Mart]]:
        """The marts, and the business date of the last build."""

    def write(self, mart: Mart, descriptor: int) -> None:
        """Write a mart's rows in COPY's binary format."""


@contextmanager
def built(settings: Settings) -> Iterator[Engine]:
    """The engine that the settings name, open for reading."""
    if settings.engine == "postgres":
        with ops.warehouse(settings) as connection:
            yield _Postgres(connection, building.schema(settings, "marts"))
    else:
        with duck.warehouse(settings, read_only=True) as connection:
            duck.load(connection, "postgres_scanner")
            # One stream is one thread's work; more of them spend twice the CPU on handing over.
            connection.execute("set threads = 1")
            yield _DuckDB(connection)


class _DuckDB:
    """Its PostgreSQL extension encodes COPY's binary format."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def describe(self) -> tuple[date | None, list[Mart]]:
        tables, columns, keys = (
            self._connection.execute(query).fetchall()
            for query in (DUCKDB_TABLES, DUCKDB_COLUMNS, DUCKDB_KEYS)
        )
        typed = [
            (mart, name, served_type(mart, name, kind), *rest)
            for mart, name, kind, *rest in columns
        ]
        marts = _marts(tables, typed, keys)
        try:
            row = self._connection.execute(AS_OF).fetchone()
        except duckdb.CatalogException as error:
            raise _no_day() from error
        return row[0] if row else None, marts

    def write(self, mart: Mart, descriptor: int) -> None:
        try:
            self._connection.execute(
                f"copy marts.\"{mart.name}\" to '/dev/fd/{descriptor}' (format postgres_binary)"
            )
        except duckdb.Error as error:
            raise _unreadable(mart, error) from error


class _Postgres:
    """It is its own twin; the rows still go through COPY, which alone can freeze them."""

    def __init__(self, connection: Connection, schema: str) -> None:
        self._connection = connection
        self._schema = schema

    def describe(self) -> tuple[date | None, list[Mart]]:
        with self._connection.cursor() as cursor:
            # Catalogue and rows as of one moment.
            cursor.execute("set transaction isolation level repeatable read, read only")
            found: list[Rows] = []
            for query in (POSTGRES_TABLES, POSTGRES_COLUMNS, POSTGRES_KEYS):
                cursor.execute(query, {"schema": self._schema})
                found.append(cursor.fetchall())
            tables, columns, keys = found
            typed = [
                (mart, name, served_type(mart, name, kind), *rest)
                for mart, name, kind, *rest in columns
            ]
            marts = _marts(tables, typed, keys)
            try:
                cursor.execute(AS_OF)
            except psycopg2.errors.UndefinedTable as error:
                raise _no_day() from error
            (as_of_date,) = cursor.fetchone() or (None,)
        return as_of_date, marts

    def write(self, mart: Mart, descriptor: int) -> None:
        statement = sql.SQL("copy {} to stdout (format binary)").format(
            sql.Identifier(self._schema, mart.name)
        )
        try:
            with (
                os.fdopen(descriptor, "wb", closefd=False) as pipe,
                self._connection.cursor() as cursor,
            ):
                cursor.copy_expert(statement, pipe, size=piping.CHUNK_BYTES)
        except psycopg2.Error as error:
            raise _unreadable(mart, error) from error


def _marts(tables: Rows, columns: Rows, keys: Rows) -> list[Mart]:
    if not tables:
        raise LakehouseError(
            "the engine's database has no mart, so there is nothing to publish",
            hint="run `lakehouse transform`: it builds the marts from bronze",
        )
    return [
        Mart(
            name,
            comment,
            rows,
            tuple(Column(*rest) for mart, *rest in columns if mart == name),
            next((tuple(key) for mart, primary, key in keys if mart == name and primary), ()),
            tuple(tuple(key) for mart, primary, key in keys if mart == name and not primary),
        )
        for name, comment, rows in tables
    ]


def _no_day() -> LakehouseError:
    return LakehouseError(
        "the warehouse does not say of which day its marts speak: it has no ops.run_context",
        hint="run `lakehouse transform`",
    )


def _unreadable(mart: Mart, error: Exception) -> LakehouseError:
    return LakehouseError(
        f"mart {mart.name} could not be read from the warehouse: {first_line(error)}",
        hint="the marts published before stay served; `lakehouse rebuild` makes the warehouse"
        " anew from bronze",
    )
