"""Tables as they were at one moment, read inside the snapshot that a slot's creation exports.

What was committed before that moment is in the snapshot, what comes after it is in the change
log, and nothing is in neither. An unfinished snapshot is never continued: the next generation's
boundaries supersede its rows. So it may be stopped anywhere.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace

import pyarrow as pa
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from lakehouse import landing
from lakehouse.cdc import slot, state
from lakehouse.cdc.checks import Server, Table
from lakehouse.cdc.connection import SLOT, Erp, reading
from lakehouse.cdc.copying import READERS, Copier
from lakehouse.cdc.pending import Boundary, land_boundaries
from lakehouse.cdc.state import State, TableState
from lakehouse.cdc.stream import Stop
from lakehouse.erp import SCHEMA, SOURCE
from lakehouse.progress import Advance, progress
from lakehouse.settings import Settings

_RANGE_BYTES = 8 << 20
_LEAVES = """
select leaf::text, pg_relation_size(leaf) / current_setting('block_size')::int, pg_table_size(leaf)
from (
    select relid from pg_partition_tree(%(table)s) where isleaf
    union select %(table)s::oid::regclass where not exists (
        select from pg_partitioned_table where partrelid = %(table)s
    )
) as leaves (leaf)
"""


class StoppedError(Exception):
    """The snapshot ended before it was whole, because it was told to."""


@dataclass(frozen=True)
class _Moment:
    """The snapshot: its name, its position, and the ERP's clock in it."""

    name: str
    lsn: int
    clock_us: int
    sync_id: int
    stop: Stop


def first(
    settings: Settings,
    erp: Erp,
    server: Server,
    known: State | None,
    sync_id: int,
    above: int,
    stop: Stop,
) -> State:
    """Make the slot and land every table."""
    generation = above + 1
    tables = dict(known.tables) if known else {}
    for table in server.tables.values():
        tables[table.entity] = TableState(table.identity, ((0, generation),), is_complete=False)
    begun = State(server.system_identifier, server.timeline, None, tables)
    # Said before it is done: whoever is killed now knows the slot for its own.
    state.save(settings, begun)
    lsn, name = slot.create(erp)
    begun = begun.reached(lsn, 0, 0)
    return _take(settings, erp, server.tables.values(), begun, name, lsn, sync_id, stop)


def more(
    settings: Settings,
    erp: Erp,
    tables: Iterable[Table],
    known: State,
    sync_id: int,
    above: int,
    stop: Stop,
) -> State:
    """Land some tables anew, or for the first time, beside the slot that is there."""
    tables = list(tables)
    name = f"{SLOT}_snapshot_{sync_id}"
    lsn, snapshot = slot.create(erp, name, is_temporary=True)
    new = {}
    for table in tables:
        # Changes committed before the snapshot keep the generation that they have.
        before = known.tables.get(table.entity) or TableState("", ((0, 0),), is_complete=False)
        new[table.entity] = before.renewed(table.identity, lsn, above + 1)
    taken = _take(settings, erp, tables, known.with_tables(new), snapshot, lsn, sync_id, stop)
    slot.drop(erp, name)
    return taken


def _take(
    settings: Settings,
    erp: Erp,
    tables: Iterable[Table],
    begun: State,
    name: str,
    lsn: int,
    sync_id: int,
    stop: Stop,
) -> State:
    tables = list(tables)
    begun = state.save(settings, begun)
    with ExitStack() as stack:
        readers = [stack.enter_context(_reader(erp, name)) for _ in range(READERS)]
        moment = _Moment(name, lsn, _clock(readers[0], tables), sync_id, stop)
        boundaries = []
        for table in tables:
            generation = begun.tables[table.entity].generation
            count = _land(settings, readers, table, generation, moment)
            boundaries.append(
                Boundary(
                    entity=table.entity,
                    generation=generation,
                    phase=landing.SNAPSHOT,
                    lsn=lsn,
                    kind="snapshot",
                    row_count=count,
                    commit_lsn=lsn,
                    committed_us=moment.clock_us,
                )
            )
    land_boundaries(settings, boundaries, sync_id)
    complete = {
        table.entity: replace(begun.tables[table.entity], is_complete=True) for table in tables
    }
    rows = sum(boundary.row_count or 0 for boundary in boundaries)
    whole = replace(begun.with_tables(complete), snapshot_rows=begun.snapshot_rows + rows)
    return state.save(settings, whole)


@contextmanager
def _reader(erp: Erp, snapshot: str) -> Iterator[Connection]:
    """A connection that sees the ERP as it was."""
    with closing(reading(erp.dsn)) as connection:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with connection.cursor() as cursor:
            cursor.execute("set transaction snapshot %s", (snapshot,))
        yield connection


def _clock(reader: Connection, tables: list[Table]) -> int:
    """When the snapshot's rows were true: the ERP's own latest change, never later than now."""
    latest = [sql.SQL("null::timestamptz")] + [
        sql.SQL("(select max(updated_at) from {})").format(sql.Identifier(SCHEMA, table.entity))
        for table in tables
        if pa.field("updated_at", pa.timestamp("us", "UTC")) in table.columns
    ]
    query = "select (extract(epoch from least(now(), greatest({}))) * 1000000)::bigint"
    with reader.cursor() as cursor:
        cursor.execute(sql.SQL(query).format(sql.SQL(", ").join(latest)))
        ((clock,),) = cursor.fetchall()
    return int(clock)


def _land(
    settings: Settings,
    readers: list[Connection],
    table: Table,
    generation: int,
    moment: _Moment,
) -> int:
    """Copy a table, as many ranges of it at a time as there are readers; how many rows it has."""
    copier = Copier(readers[0], table)
    ranges = _Shared(_ranges(readers[0], table), moment.stop)
    delivery = landing.Delivery(generation, moment.sync_id)
    with progress(f"snapshot of {table.entity}") as advance, ThreadPoolExecutor(READERS) as pool:
        jobs = [
            pool.submit(_land_ranges, settings, reader, copier, ranges, delivery, moment, advance)
            for reader in readers[: len(ranges)]
        ]
        return sum(job.result() for job in jobs)


def _land_ranges(
    settings: Settings,
    reader: Connection,
    copier: Copier,
    ranges: _Shared,
    delivery: landing.Delivery,
    moment: _Moment,
    advance: Advance,
) -> int:
    """Copy ranges until none is left."""
    count = 0
    with ExitStack() as files:
        open_files: dict[tuple[pa.Field, ...], landing.Write] = {}
        for source in ranges:
            for fields, rows in copier.rows(reader, source):
                schema = landing.change_schema(fields)
                if fields not in open_files:
                    file = landing.new_file(settings, SOURCE, copier.entity, schema)
                    open_files[fields] = files.enter_context(file)
                technical = _technical(rows.num_rows, moment)
                columns = [*rows.columns, *technical]
                open_files[fields](delivery.table(schema, columns, rows.num_rows))
                count += rows.num_rows
                advance(rows.num_rows)
    return count


def _technical(count: int, moment: _Moment) -> list[pa.Array]:
    lsn = pa.repeat(pa.scalar(moment.lsn, pa.int64()), count)
    at = pa.repeat(landing.iso_us(moment.clock_us), count)
    nothing = pa.nulls(count, pa.string())
    return [lsn, at, nothing, lsn, pa.repeat("snapshot", count), nothing]


class _Shared:
    """Ranges that several threads take from, each of them once, until they are to stop."""

    def __init__(self, ranges: list[sql.Composable], stop: Stop) -> None:
        self._stop = stop
        self._ranges, self._lock = iter(ranges), threading.Lock()
        self._count = len(ranges)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[sql.Composable]:
        while True:
            with self._lock:
                source = next(self._ranges, None)
            if source is None:
                return
            if self._stop():
                raise StoppedError
            yield source


def _ranges(reader: Connection, table: Table) -> list[sql.Composable]:
    """What together gives each row of a table once, by where the row lies on the disk."""
    with reader.cursor() as cursor:
        cursor.execute(_LEAVES, {"table": table.oid})
        leaves = cursor.fetchall()
    return [
        sql.SQL("from only {} where {}").format(sql.SQL(leaf), where)
        for leaf, pages, size in leaves
        for where in _pages(pages, size)
    ]


def _pages(pages: int, size: int) -> Iterator[sql.Composable]:
    """Conditions that cut a table of so many pages into ranges; the last one has no end."""
    step = max(1, pages * _RANGE_BYTES // max(size, 1))
    firsts = range(0, max(pages, 1), step) if pages else []
    for begin in firsts:
        condition = f"ctid >= '({begin},0)'"
        if begin + step < pages:
            condition += f" and ctid < '({begin + step},0)'"
        yield sql.SQL(condition)
