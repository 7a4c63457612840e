"""Bronze in PostgreSQL, which cannot read Delta: each table's new batches, by COPY.

A table is copied in one transaction, and the transaction carries how far it got, so a copy that is
killed is begun again where the last one ended. Bronze only grows; what does not look like the table
that was copied before, because its columns or the table itself are others, is copied anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import psycopg2
from deltalake import DeltaTable
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from lakehouse import bridge, duck, ops, piping
from lakehouse.engine import BRONZE
from lakehouse.errors import LakehouseError, first_line
from lakehouse.progress import progress
from lakehouse.settings import Settings

SCHEMA = f"""
create schema if not exists {BRONZE};
create table if not exists {BRONZE}._copied (
    bronze_table text primary key, table_id text not null, to_batch bigint not null
)
"""
COLUMNS = """
    select attname::text, format_type(atttypid, atttypmod) from pg_attribute
    where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum
"""
COPIED = f"""
    insert into {BRONZE}._copied values (%s, %s, %s) on conflict (bronze_table)
    do update set table_id = excluded.table_id, to_batch = excluded.to_batch
"""
Columns = list[tuple[str, str]]


@dataclass(frozen=True)
class _Table:
    """A bronze table, as it is in Delta."""

    name: str
    uri: str
    id: str
    columns: Columns

    @property
    def target(self) -> sql.Identifier:
        return sql.Identifier(BRONZE, self.name.replace("/", "__"))


def copy(settings: Settings, to_batches: Mapping[str, int]) -> int:
    """Copy what schema `bronze` lacks of each table, up to its batch; return the rows."""
    rows = 0
    with (
        duck.in_memory(settings) as engine,
        progress("copying bronze", len(to_batches)) as advance,
    ):
        for extension in ("delta", "postgres_scanner"):
            duck.load(engine, extension)
        with ops.warehouse(settings) as connection, connection.cursor() as cursor:
            cursor.execute(SCHEMA)
        for name, to_batch in sorted(to_batches.items()):
            try:
                table = _described(engine, name, f"{settings.bronze_uri}/{name}")
                with ops.warehouse(settings) as connection, connection.cursor() as cursor:
                    rows += _copy(engine, cursor, table, to_batch)
            except (psycopg2.Error, duckdb.Error) as error:
                raise LakehouseError(
                    f"bronze table {name} could not be copied to PostgreSQL: {first_line(error)}",
                    hint="mend what it names, then run `lakehouse transform`: it goes on there",
                ) from error
            advance(1)
    return rows


def _described(engine: duckdb.DuckDBPyConnection, name: str, uri: str) -> _Table:
    found = engine.execute("describe select * from delta_scan(?)", [uri]).fetchall()
    columns = [(column, _type(name, column, kind)) for column, kind, *_ in found]
    return _Table(name, uri, str(DeltaTable(uri).metadata().id), columns)


def _type(table: str, column: str, kind: str) -> str:
    named = f"column {column} of bronze table {table}"
    return bridge.postgres_type(named, kind, mend=f"change the contract of {table}")


def _copy(engine: duckdb.DuckDBPyConnection, cursor: Cursor, table: _Table, to_batch: int) -> int:
    """Copy one table's new batches, or all of it into a new table, in the caller's transaction."""
    from_batch = _copied(cursor, table)
    if from_batch is None:
        _make(cursor, table)
        from_batch = 0
    if to_batch <= from_batch:
        return 0
    names = ", ".join(f'"{name}"' for name, _ in table.columns)
    uri = table.uri.replace("'", "''")

    def write(descriptor: int) -> None:
        engine.execute(
            f"copy (select {names} from delta_scan('{uri}')"
            f" where _batch_id > {from_batch} and _batch_id <= {to_batch})"
            f" to '/dev/fd/{descriptor}' (format postgres_binary)"
        )

    statement = sql.SQL("copy {} from stdin (format binary)").format(table.target)
    rows = piping.copy_in(cursor, statement, write)
    cursor.execute(COPIED, (table.name, table.id, to_batch))
    cursor.execute(sql.SQL("analyze {}").format(table.target))
    return rows


def _copied(cursor: Cursor, table: _Table) -> int | None:
    """Up to which batch the table was copied; None if what is there is not this table."""
    cursor.execute(COLUMNS, (table.target.as_string(cursor),))
    columns = cursor.fetchall()
    cursor.execute(
        f"select to_batch from {BRONZE}._copied where bronze_table = %s and table_id = %s",
        (table.name, table.id),
    )
    found = cursor.fetchone()
    return found[0] if found and columns == table.columns else None


def _make(cursor: Cursor, table: _Table) -> None:
    columns = [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in table.columns
    ]
    # Views of the staging layer stand on the table before; dbt makes them again.
    cursor.execute(sql.SQL("drop table if exists {} cascade").format(table.target))
    cursor.execute(
        sql.SQL("create table {} ({})").format(table.target, sql.SQL(", ").join(columns))
    )
    # Batches lie in the order in which they came, so a few bytes find the new ones.
    cursor.execute(sql.SQL("create index on {} using brin (_batch_id)").format(table.target))
    cursor.execute(COPIED, (table.name, table.id, 0))
