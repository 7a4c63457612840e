"""Tables as they were at one moment, read inside the snapshot that a slot's creation exports.

What was committed before that moment is in the snapshot, what comes after it is in the change
log, and nothing is in neither. An unfinished snapshot is never continued: the next generation's
boundaries supersede its rows. So it may be stopped anywhere.
"""

from __future__ import annotations

import threading
from collections import Counter
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
from lakehouse.cdc.copying import READERS, Copier, Fields
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
    tables, begun = list(tables), state.save(settings, begun)
    with ExitStack() as stack:
        readers = [stack.enter_context(_reader(erp, name)) for _ in range(READERS)]
        moment = _Moment(name, lsn, _clock(readers[0], tables), sync_id, stop)
        ranges = [
            found
            for table in tables
            for found in _ranges(readers[0], table, begun.tables[table.entity].generation)
        ]
        counts = _land(settings, readers, _Shared(ranges, stop), moment)
    pa.default_memory_pool().release_unused()  # else the threads that are gone keep theirs
    boundaries = [
        Boundary(
            entity=table.entity,
            generation=begun.tables[table.entity].generation,
            phase=landing.SNAPSHOT,
            lsn=lsn,
            kind="snapshot",
            row_count=counts[table.entity],
            commit_lsn=lsn,
            committed_us=moment.clock_us,
        )
        for table in tables
    ]
    land_boundaries(settings, boundaries, sync_id)
    complete = {
        table.entity: replace(begun.tables[table.entity], is_complete=True) for table in tables
    }
    rows = begun.snapshot_rows + counts.total()
    return state.save(settings, replace(begun.with_tables(complete), snapshot_rows=rows))


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
    settings: Settings, readers: list[Connection], ranges: _Shared, moment: _Moment
) -> Counter[str]:
    """Copy all ranges, as many at a time as there are readers; how many rows each table has."""
    counts = Counter[str]()
    with progress("snapshot of the ERP") as advance, ThreadPoolExecutor(len(readers)) as pool:
        jobs = [
            pool.submit(_land_ranges, settings, reader, ranges, moment, advance)
            for reader in readers
        ]
        for job in jobs:
            counts += job.result()
    return counts


def _land_ranges(
    settings: Settings, reader: Connection, ranges: _Shared, moment: _Moment, advance: Advance
) -> Counter[str]:
    """Copy ranges until none is left, into a file a table and shape."""
    counts = Counter[str]()
    with ExitStack() as files:
        open_files: dict[tuple[str, Fields], landing.Write] = {}
        for one in ranges:
            entity, delivery = one.copier.entity, landing.Delivery(one.generation, moment.sync_id)
            if open_files and entity not in {entity for entity, _ in open_files}:
                files.close()
                open_files.clear()
            for fields, rows in one.copier.rows(reader, one.source):
                schema = landing.change_schema(fields)
                if (entity, fields) not in open_files:
                    file = landing.new_file(settings, SOURCE, entity, schema)
                    open_files[entity, fields] = files.enter_context(file)
                columns = [*rows.columns, *_technical(rows.num_rows, moment)]
                open_files[entity, fields](delivery.table(schema, columns, rows.num_rows))
                counts[entity] += rows.num_rows
                advance(rows.num_rows)
    return counts


def _technical(count: int, moment: _Moment) -> list[pa.Array]:
    lsn = pa.repeat(pa.scalar(moment.lsn, pa.int64()), count)
    at = pa.repeat(landing.iso_us(moment.clock_us), count)
    nothing = pa.nulls(count, pa.string())
    return [lsn, at, nothing, lsn, pa.repeat("snapshot", count), nothing]


@dataclass(frozen=True)
class _Range:
    """Some rows of a table: those that lie together on the disk."""

    copier: Copier
    generation: int
    source: sql.Composable


class _Shared:
    """Ranges that several threads take from, each of them once, until they are to stop."""

    def __init__(self, ranges: list[_Range], stop: Stop) -> None:
        self._stop = stop
        self._ranges, self._lock = iter(ranges), threading.Lock()

    def __iter__(self) -> Iterator[_Range]:
        while True:
            with self._lock:
                found = next(self._ranges, None)
            if found is None:
                return
            if self._stop():
                raise StoppedError
            yield found


def _ranges(reader: Connection, table: Table, generation: int) -> list[_Range]:
    """What together gives each row of a table once."""
    copier = Copier(reader, table)
    with reader.cursor() as cursor:
        cursor.execute(_LEAVES, {"table": table.oid})
        leaves = cursor.fetchall()
    return [
        _Range(copier, generation, sql.SQL("from only {} where {}").format(sql.SQL(leaf), where))
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
