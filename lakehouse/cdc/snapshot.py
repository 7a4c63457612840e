"""The first state of every table, read inside the snapshot that the slot's creation exports.

What was committed before the slot's starting point is in the snapshot, what comes after it is in
the change log, and nothing is in neither. An unfinished snapshot is never continued: the next
generation's boundaries supersede its rows.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import cast

import pyarrow as pa
import pyarrow.csv
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from lakehouse import landing
from lakehouse.cdc import checks, state
from lakehouse.cdc.capture import SOURCE, Boundary, Commit, land_boundaries
from lakehouse.cdc.connection import SCHEMA, SLOT, Erp
from lakehouse.cdc.state import State
from lakehouse.errors import LakehouseError
from lakehouse.progress import Advance, progress
from lakehouse.settings import Settings

_BLOCK_BYTES = 8 << 20


def take(
    settings: Settings,
    erp: Erp,
    server: checks.Server,
    known: State | None,
    sync_id: int,
    after_generation: int,
) -> tuple[State, int]:
    """Make the slot and land every table as it was at that moment; says how many rows that is."""
    if known is None:
        checks.unknown_slot(erp)
    elif checks.free_slot(erp) is not None:
        erp.row("select pg_drop_replication_slot(%s)", (SLOT,))
    landed = landing.last_generation(settings, SOURCE)
    last = max(known.generation if known else 0, landed, after_generation)
    begun = State(server.system_identifier, server.timeline, last + 1, server.tables, None)
    state.save(settings, begun)
    point, snapshot = _create_slot(erp)
    delivery = landing.Delivery(begun.generation, sync_id)
    rows = 0
    with erp.session.cursor() as cursor:
        cursor.execute("begin isolation level repeatable read read only")
        cursor.execute("set transaction snapshot %s", (snapshot,))
        tables = checks.published(erp.session)
        commit = Commit(state.lsn_number(point), _clock(cursor, tables))
        boundaries = []
        for table in tables:
            count = _land_table(settings, cursor, table, commit, delivery)
            boundary = Boundary(table.entity, landing.SNAPSHOT, commit.lsn, "snapshot", count)
            boundaries.append((boundary, commit))
            rows += count
        cursor.execute("commit")
    land_boundaries(settings, boundaries, delivery)
    finished = replace(begun, durable_lsn=point)
    state.save(settings, finished)
    return finished, rows


def _create_slot(erp: Erp) -> tuple[str, str]:
    command = "CREATE_REPLICATION_SLOT {} LOGICAL pgoutput EXPORT_SNAPSHOT"
    erp.log.execute(sql.SQL(command).format(sql.Identifier(SLOT)))
    slot = erp.log.fetchone()
    assert slot is not None, "CREATE_REPLICATION_SLOT answers with a row"
    _, point, snapshot, _ = slot
    return str(point), str(snapshot)


def _clock(cursor: Cursor, tables: list[checks.Table]) -> datetime:
    """When the snapshot's rows were true: the ERP's own latest change, never later than now."""
    latest = [sql.SQL("null::timestamptz")] + [
        sql.SQL("(select max(updated_at) from {})").format(sql.Identifier(SCHEMA, table.entity))
        for table in tables
        if pa.field("updated_at", pa.timestamp("us", "UTC")) in table.columns
    ]
    query = sql.SQL("select least(now(), greatest({}))").format(sql.SQL(", ").join(latest))
    cursor.execute(query)
    ((clock,),) = cursor.fetchall()
    return cast("datetime", clock)


def _land_table(
    settings: Settings,
    cursor: Cursor,
    table: checks.Table,
    commit: Commit,
    delivery: landing.Delivery,
) -> int:
    name = sql.Identifier(SCHEMA, table.entity)
    cursor.execute(sql.SQL("select from {} limit 1").format(name))
    if cursor.rowcount == 0:
        return 0
    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
    copy = sql.SQL("copy {} ({}) to stdout (format csv)").format(name, columns)
    schema = landing.change_schema(table.columns)
    with (
        progress(f"snapshot of {table.entity}") as advance,
        landing.new_file(settings, SOURCE, table.entity, schema) as write,
    ):
        sink = _CsvSink(table, commit, delivery, write, advance)
        cursor.copy_expert(copy, sink)
        sink.flush()
    return sink.count


@dataclass
class _CsvSink:
    """What COPY writes a row at a time, landed as Arrow a block at a time."""

    table: checks.Table
    commit: Commit
    delivery: landing.Delivery
    land: Callable[[pa.Table], None]
    advance: Advance
    count: int = 0
    _rows: list[bytes] = field(default_factory=list)
    _size: int = 0

    def write(self, row: bytes) -> None:
        self._rows.append(row)
        self._size += len(row)
        if self._size >= _BLOCK_BYTES:
            self.flush()

    def flush(self) -> None:
        if not self._rows:
            return
        rows = _parse(self.table, b"".join(self._rows))
        self._rows, self._size = [], 0
        self.count += rows.num_rows
        self.land(_snapshot_rows(self.table, rows, self.commit, self.delivery))
        self.advance(rows.num_rows)


def _parse(table: checks.Table, block: bytes) -> pa.Table:
    """COPY's CSV, where an unquoted nothing is null and a quoted one is empty text."""
    try:
        return pa.csv.read_csv(
            io.BytesIO(block),
            read_options=pa.csv.ReadOptions(
                column_names=[column.name for column in table.columns],
                block_size=len(block),  # a value with line breaks must not be cut in two
            ),
            parse_options=pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            convert_options=pa.csv.ConvertOptions(
                column_types=pa.schema(table.columns),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["t"],
                false_values=["f"],
            ),
        )
    except pa.ArrowInvalid as error:
        raise LakehouseError(
            f"{table.entity} of the ERP holds a value that its type has no place for: {error}",
            hint="correct it in the ERP, then run `lakehouse cdc sync`",
        ) from error


def _snapshot_rows(
    table: checks.Table, rows: pa.Table, commit: Commit, delivery: landing.Delivery
) -> pa.Table:
    count = rows.num_rows
    lsn = pa.repeat(pa.scalar(commit.lsn, pa.int64()), count)
    at = pa.repeat(landing.iso_ms(commit.at), count)
    nothing = pa.nulls(count, pa.string())
    technical = [lsn, at, nothing, lsn, pa.repeat("snapshot", count), nothing]
    schema = landing.change_schema(table.columns)
    return delivery.table(schema, [*rows.columns, *technical], count)
