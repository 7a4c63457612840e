"""Copy the marts of the engine's database to PostgreSQL, beside the served ones.

DuckDB's PostgreSQL extension encodes COPY's binary format, and PostgreSQL reads it from a pipe:
measured on a million rows this runs at COPY's own speed, while writing through an attached database
takes a third longer, makes every table with types of its own choice and cannot freeze the rows.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import IO, cast

import duckdb
import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json

from lakehouse import duck, ops
from lakehouse.errors import LakehouseError, RefusedError, first_line
from lakehouse.progress import progress
from lakehouse.settings import Settings

TYPES = {
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "SMALLINT": "smallint",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "DOUBLE": "double precision",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
}
DECIMAL = re.compile(r"DECIMAL\((\d+,\d+)\)")
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Staged:
    """What stands in `marts_next` now: rows by mart, and the day of which they speak."""

    as_of_date: str | None
    marts: dict[str, int]


@dataclass(frozen=True)
class Column:
    """A column of a mart, with the type it will have in PostgreSQL."""

    name: str
    type: str
    comment: str | None


@dataclass(frozen=True)
class Mart:
    """A table of schema `marts`."""

    name: str
    comment: str | None
    rows: int
    columns: tuple[Column, ...]

    @property
    def own_key(self) -> str | None:
        """Its surrogate key by the naming rule: `item_key` of `dim_items`."""
        entity = self.name.split("_", 1)[-1]
        keys = (f"{entity}_key", f"{entity.removesuffix('s')}_key")
        return next((column.name for column in self.columns if column.name in keys), None)


def stage(settings: Settings, *, run_id: str) -> Staged:
    """Replace `marts_next` by a copy of this run's marts; nothing has passed the gate then."""
    with duck.warehouse(settings, read_only=True) as engine:
        duck.load(engine, "postgres_scanner")
        as_of_date, marts = _describe(engine)
        total = sum(mart.rows for mart in marts)
        with (
            ops.warehouse(settings) as connection,
            connection.cursor() as cursor,
            progress("copying the marts", total) as advance,
        ):
            _make_schema(cursor, run_id)
            for mart in marts:
                advance(_copy(engine, cursor, mart))
            rows = {mart.name: mart.rows for mart in marts}
            cursor.execute(
                "insert into ops.gates (run_id, as_of_date, marts) values (%s, %s, %s)"
                " on conflict (run_id) do update set as_of_date = excluded.as_of_date,"
                " marts = excluded.marts, staged_at = excluded.staged_at, passed_at = null",
                (run_id, as_of_date, Json(rows)),
            )
    return Staged(as_of_date.isoformat() if as_of_date else None, rows)


def _describe(engine: duckdb.DuckDBPyConnection) -> tuple[date | None, list[Mart]]:
    """The marts as the engine knows them, and the business date of the last build."""
    tables = engine.execute(
        "select table_name, comment from duckdb_tables() where schema_name = 'marts' order by 1"
    ).fetchall()
    if not tables:
        raise LakehouseError(
            "the warehouse has no table in schema `marts`, so there is nothing to publish",
            hint="run `lakehouse transform`: it builds the marts from bronze",
        )
    try:
        row = engine.execute("select max(as_of_date) from ops.run_context").fetchone()
    except duckdb.CatalogException as error:
        raise LakehouseError(
            "the warehouse does not say of which day its marts speak: it has no ops.run_context",
            hint="run `lakehouse transform`",
        ) from error
    return row[0] if row else None, [_mart(engine, name, comment) for name, comment in tables]


def _mart(engine: duckdb.DuckDBPyConnection, name: str, comment: str | None) -> Mart:
    columns = engine.execute(
        "select column_name, data_type, comment from duckdb_columns()"
        " where schema_name = 'marts' and table_name = ? order by column_index",
        [name],
    ).fetchall()
    (rows,) = engine.execute(f'select count(*) from marts."{name}"').fetchall()[0]
    return Mart(
        name,
        comment,
        rows,
        tuple(Column(column, _type(name, column, kind), note) for column, kind, note in columns),
    )


def _type(mart: str, column: str, kind: str) -> str:
    decimal = DECIMAL.fullmatch(kind)
    if decimal:
        return f"numeric({decimal[1]})"
    if kind not in TYPES:
        raise LakehouseError(
            f"column {column} of mart {mart} is {kind}, which has no exact twin in PostgreSQL",
            hint=f"cast it in the model {mart}: {', '.join(TYPES)} or a DECIMAL",
        )
    return TYPES[kind]


def _make_schema(cursor: Cursor, run_id: str) -> None:
    cursor.execute("set local lock_timeout = '10s'")
    try:
        cursor.execute("drop schema if exists marts_next cascade")
        cursor.execute("create schema marts_next")
    except psycopg2.Error as error:
        raise LakehouseError(
            f"schema marts_next could not be made anew: {first_line(error)}",
            hint="the marts published before stay served; end what reads marts_next, or give the"
            " user of WAREHOUSE_DSN the right to create schemas, then run it again",
        ) from error
    # The comment goes with the schema through every rename: it says whose marts these are.
    cursor.execute("comment on schema marts_next is %s", (run_id,))


def _copy(engine: duckdb.DuckDBPyConnection, cursor: Cursor, mart: Mart) -> int:
    table = sql.Identifier("marts_next", mart.name)
    columns = [
        sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.type))
        for column in mart.columns
    ]
    # Nothing changes these rows any more, so no vacuum has to stand in the way of a swap.
    cursor.execute(
        sql.SQL("create table {} ({}) with (autovacuum_enabled = false)").format(
            table, sql.SQL(", ").join(columns)
        )
    )
    # Frozen rows are seen by transactions older than this one, too: after a swap they would
    # otherwise find the new marts empty.
    statement = sql.SQL("copy {} from stdin (format binary, freeze)").format(table)
    try:
        _pipe(engine, mart.name, cursor, statement)
        if mart.own_key:
            cursor.execute(
                sql.SQL("create unique index on {} ({})").format(
                    table, sql.Identifier(mart.own_key)
                )
            )
        _comment(cursor, table, mart)
        cursor.execute(sql.SQL("analyze {}").format(table))
    except psycopg2.errors.UniqueViolation as error:
        raise RefusedError(
            f"mart {mart.name} was not staged: {error.diag.message_detail}",
            hint="the marts published before stay served; mend the model, then run it again",
        ) from error
    except psycopg2.Error as error:
        raise LakehouseError(
            f"mart {mart.name} could not be copied to marts_next: {first_line(error)}",
            hint="the marts published before stay served; see the server's log, then run it again",
        ) from error
    return mart.rows


def _pipe(
    engine: duckdb.DuckDBPyConnection, mart: str, cursor: Cursor, statement: sql.Composed
) -> None:
    """Let DuckDB write what PostgreSQL reads, both at once."""
    reader, writer = os.pipe()

    def encode() -> None:
        try:
            engine.execute(f"copy marts.\"{mart}\" to '/dev/fd/{writer}' (format postgres_binary)")
        finally:
            os.close(writer)

    with ThreadPoolExecutor(1) as pool:
        with os.fdopen(reader, "rb") as pipe:
            stream = _Stream(pipe)
            encoded = pool.submit(encode)
            try:
                cursor.copy_expert(statement, cast("IO[bytes]", stream), size=CHUNK_BYTES)
            except psycopg2.Error:
                pipe.close()
                if stream.interruption is not None:
                    raise stream.interruption from None
                _raise_cause(encoded.exception(), mart)
                raise
        encoded.result()


class _Stream:
    """Remembers a Ctrl-C, which psycopg2 would turn into an error of the copy."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self.interruption: KeyboardInterrupt | None = None
        self._pipe = pipe

    def read(self, size: int = -1, /) -> bytes:
        try:
            return self._pipe.read(size)
        except KeyboardInterrupt as error:
            self.interruption = error
            raise


def _raise_cause(error: BaseException | None, mart: str) -> None:
    """Name the encoder's own failure, rather than the torn stream that it left behind."""
    if isinstance(error, duckdb.Error) and "Broken pipe" not in str(error):
        raise LakehouseError(
            f"mart {mart} could not be read from the warehouse: {first_line(error)}",
            hint="the marts published before stay served; `lakehouse rebuild` makes the warehouse"
            " anew from bronze",
        ) from error


def _comment(cursor: Cursor, table: sql.Identifier, mart: Mart) -> None:
    notes: Sequence[tuple[sql.Composable, str | None]] = [
        (sql.SQL("table {}").format(table), mart.comment),
        *(
            (sql.SQL("column {}.{}").format(table, sql.Identifier(column.name)), column.comment)
            for column in mart.columns
        ),
    ]
    for subject, comment in notes:
        if comment:
            cursor.execute(sql.SQL("comment on {} is %s").format(subject), (comment,))
