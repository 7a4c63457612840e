"""Copy the marts from the engine that built them to PostgreSQL, beside the served ones.

One process encodes COPY's binary format, and PostgreSQL reads it from a pipe: measured on a million
rows of DuckDB this runs at COPY's own speed, while writing through an attached database takes a
third longer, makes every table with types of its own choice and cannot freeze the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json

from lakehouse import ops, piping
from lakehouse.errors import LakehouseError, RefusedError, first_line
from lakehouse.progress import progress
from lakehouse.publish import engines, readers
from lakehouse.publish.engines import Engine
from lakehouse.publish.marts import Mart
from lakehouse.settings import Settings


@dataclass(frozen=True)
class Staged:
    """What stands in `marts_next` now: rows by mart, and the day of which they speak."""

    as_of_date: str | None
    marts: dict[str, int]


def stage(settings: Settings, *, run_id: str, inputs: str | None = None) -> Staged:
    """Replace `marts_next` by a copy of this run's marts; nothing has passed the gate then.

    `inputs` is kept with them: a hash of all that they follow from.
    """
    with engines.built(settings) as engine:
        as_of_date, marts = engine.describe()
        rows: dict[str, int] = {}
        with (
            ops.warehouse(settings) as connection,
            connection.cursor() as cursor,
            progress("copying the marts", sum(mart.rows for mart in marts)) as advance,
        ):
            _make_schema(cursor, run_id)
            for mart in marts:
                rows[mart.name] = _copy(engine, cursor, mart, marts)
                advance(mart.rows)
            cursor.execute(
                "insert into ops.gates (run_id, as_of_date, marts, inputs) values (%s, %s, %s, %s)"
                " on conflict (run_id) do update set as_of_date = excluded.as_of_date,"
                " marts = excluded.marts, inputs = excluded.inputs,"
                " staged_at = excluded.staged_at, passed_at = null",
                (run_id, as_of_date, Json(rows), inputs),
            )
    return Staged(as_of_date.isoformat() if as_of_date else None, rows)


def _make_schema(cursor: Cursor, run_id: str) -> None:
    cursor.execute("set local lock_timeout = '10s'")
    try:
        readers.tell_of_views(cursor, "marts_next", "dropped with them")
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


def _copy(engine: Engine, cursor: Cursor, mart: Mart, marts: Sequence[Mart]) -> int:
    """Copy a mart's rows, then make its keys, which costs less than keeping them meanwhile."""
    table = sql.Identifier("marts_next", mart.name)
    try:
        _make_table(cursor, table, mart)
        # Frozen rows are seen by transactions older than this one, too: after a swap they would
        # otherwise find the new marts empty.
        statement = sql.SQL("copy {} from stdin (format binary, freeze)").format(table)
        rows = piping.copy_in(cursor, statement, lambda into: engine.write(mart, into))
        _make_keys(cursor, table, mart, marts)
        _comment(cursor, table, mart)
        cursor.execute(sql.SQL("analyze {}").format(table))
    except psycopg2.errors.IntegrityError as error:
        twice = isinstance(error, psycopg2.errors.UniqueViolation)
        why = error.diag.message_detail if twice else first_line(error)
        raise RefusedError(
            f"mart {mart.name} was not staged: {why}",
            hint="the marts published before stay served; mend the model, then run it again",
        ) from error
    except psycopg2.Error as error:
        raise LakehouseError(
            f"mart {mart.name} could not be copied to marts_next: {first_line(error)}",
            hint="the marts published before stay served; see the server's log, then run it again",
        ) from error
    return rows


def _make_table(cursor: Cursor, table: sql.Identifier, mart: Mart) -> None:
    columns = [
        sql.SQL("{} {}{}").format(
            sql.Identifier(column.name),
            sql.SQL(column.type),
            sql.SQL(" not null" if column.is_required else ""),
        )
        for column in mart.columns
    ]
    # Nothing changes these rows any more, so no vacuum has to stand in the way of a swap.
    cursor.execute(
        sql.SQL("create table {} ({}) with (autovacuum_enabled = false)").format(
            table, sql.SQL(", ").join(columns)
        )
    )


def _make_keys(cursor: Cursor, table: sql.Identifier, mart: Mart, marts: Sequence[Mart]) -> None:
    def names(columns: Sequence[str]) -> sql.Composed:
        return sql.SQL(", ").join(map(sql.Identifier, columns))

    if mart.own_key:
        add = sql.SQL("alter table {} add primary key ({})")
        cursor.execute(add.format(table, names(mart.own_key)))
    for columns in mart.unique:
        add = sql.SQL("alter table {} add unique ({})")
        cursor.execute(add.format(table, names(columns)))
    for columns in mart.indexes(marts):
        cursor.execute(sql.SQL("create index on {} ({})").format(table, names(columns)))


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
