"""Decoded changes, by column, until whole transactions of them are landed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse import landing
from lakehouse.cdc.columns import Numbers
from lakehouse.cdc.protocol import Relation
from lakehouse.cdc.rows import Changes
from lakehouse.cdc.state import TableState
from lakehouse.cdc.streamed import Streamed
from lakehouse.erp import SOURCE
from lakehouse.settings import Settings

_FULL_ROWS = 250_000
_FULL_BYTES = 96 << 20
_ROWS_A_GROUP = 65_536
_NEVER_READ = TableState("", ((0, 0),), is_complete=False)
"""A table that came and went while nobody looked: its changes have no snapshot before them."""


@dataclass(frozen=True)
class Boundary:
    """Where a table starts anew: a snapshot, or a TRUNCATE, whose keys nobody knows."""

    entity: str
    generation: int
    phase: int
    lsn: int
    kind: str
    row_count: int | None
    commit_lsn: int
    committed_us: int


@dataclass(frozen=True)
class Landed:
    """How much was landed."""

    transactions: int
    changes: int


class Pending:
    """What has been decoded and is not landed yet; `land` writes whole transactions only."""

    def __init__(self) -> None:
        self.commits = 0
        """How many transactions have ended so far: the number of the next one."""
        self.clocks: dict[int, int] = {}
        """When a transaction says it was, which counts for more than when it committed."""
        self._changes: list[Changes] = []
        self._truncations: list[tuple[str, int, int]] = []
        self._streamed: list[tuple[int, Streamed]] = []
        self._lsns: list[Numbers] = []
        self._times: list[Numbers] = []
        self._landed = 0
        self._rows = self._size = 0

    @property
    def is_full(self) -> bool:
        return self._rows >= _FULL_ROWS or self._size >= _FULL_BYTES or bool(self._streamed)

    @property
    def has_whole(self) -> bool:
        """Whether a transaction has ended that is not landed."""
        return self.commits > self._landed

    def add(self, changes: Changes) -> None:
        """Changes whose owners are the numbers of their transactions."""
        self._changes.append(changes)
        self._rows += len(changes)
        self._size += changes.size

    def truncate(self, entity: str, lsn: int, transaction: int) -> None:
        """A table whose rows are no more, whatever they were."""
        self._truncations.append((entity, lsn, transaction))

    def take(self, streamed: Streamed, transaction: int) -> None:
        """A big transaction, ended."""
        self._streamed.append((transaction, streamed))
        for part, clock in streamed.clocks:
            if not streamed.is_rolled_back(part):
                self.clocks[transaction] = clock
        for part, entity, lsn in streamed.truncations:
            if not streamed.is_rolled_back(part):
                self.truncate(entity, lsn, transaction)

    def commit(self, lsns: Numbers, times: Numbers) -> None:
        """The positions and times at which the next transactions ended."""
        times = times.copy()
        for number in [n for n in self.clocks if n < self.commits + len(lsns)]:
            times[number - self.commits] = self.clocks.pop(number)
        self._lsns.append(lsns)
        self._times.append(times)
        self.commits += len(lsns)

    def land(self, settings: Settings, tables: Mapping[str, TableState], sync_id: int) -> Landed:
        """Write every whole transaction, a file a table and shape, boundaries last."""
        if not self.has_whole:
            return Landed(0, 0)
        commits = _Commits(self._landed, np.concatenate(self._lsns), np.concatenate(self._times))
        written = 0
        with Files(settings, tables, sync_id) as files:
            for of_shape in _together(self._whole()):
                written += files.write(of_shape, commits)
            for transaction, streamed in self._streamed:
                for some in streamed.changes():
                    owner = np.full(len(some), transaction)
                    written += files.write([_of_one(some, owner)], commits)
        whole = [t for t in self._truncations if t[2] < self.commits]
        boundaries = [commits.truncation(tables, *truncation) for truncation in whole]
        land_boundaries(settings, boundaries, sync_id)
        for _, streamed in self._streamed:
            streamed.remove()
        self._forget()
        return Landed(commits.touched, written + len(whole))

    def _whole(self) -> Iterator[Changes]:
        for some in self._changes:
            end = int(np.searchsorted(some.owner, self.commits))
            if end:
                yield some if end == len(some) else some.slice(0, end)

    def _forget(self) -> None:
        """Keep only what belongs to a transaction that has not ended."""
        behind = [
            some.slice(int(np.searchsorted(some.owner, self.commits)), len(some))
            for some in self._changes
        ]
        self._changes = [some for some in behind if len(some)]
        self._truncations = [t for t in self._truncations if t[2] >= self.commits]
        self._streamed, self._lsns, self._times = [], [], []
        self._landed = self.commits
        self._rows = sum(map(len, self._changes))
        self._size = sum(some.size for some in self._changes)


class _Commits:
    """Positions and times of the transactions from a number on."""

    def __init__(self, first: int, lsns: Numbers, times: Numbers) -> None:
        self._first, self._lsns, self._times = first, lsns, times
        self._texts = landing.iso_ms_texts(times)
        self._is_touched = np.zeros(len(lsns), bool)

    @property
    def touched(self) -> int:
        """How many of them changed something."""
        return int(self._is_touched.sum())

    def of(self, owner: Numbers) -> tuple[Numbers, pa.Array]:
        number = owner - self._first
        self._is_touched[number] = True
        return self._lsns[number], self._texts.take(pa.array(number))

    def truncation(
        self, tables: Mapping[str, TableState], entity: str, lsn: int, owner: int
    ) -> Boundary:
        number = owner - self._first
        self._is_touched[number] = True
        commit_lsn, time = int(self._lsns[number]), int(self._times[number])
        (generation,) = generations(tables, entity, np.array([commit_lsn])).tolist()
        return Boundary(entity, generation, landing.STREAM, lsn, "truncate", None, commit_lsn, time)


class Files(ExitStack):
    """Landing files that are being written, one for each table, shape and generation."""

    def __init__(self, settings: Settings, tables: Mapping[str, TableState], sync_id: int) -> None:
        super().__init__()
        self._settings, self._tables, self._sync_id = settings, tables, sync_id
        self._open: dict[tuple[Relation, int], landing.Write] = {}

    def write(self, changes: list[Changes], commits: _Commits) -> int:
        """Append changes of one shape; says how many."""
        relation = changes[0].relation
        tables = [_table(some, *commits.of(some.owner)) for some in changes]
        whole = pa.concat_tables(tables)
        column = whole["_cdc_commit_lsn"].to_numpy()
        which = generations(self._tables, relation.entity, column)
        for generation in np.unique(which).tolist():
            rows = whole if (which == generation).all() else whole.filter(which == generation)
            self._append(relation, generation, rows)
        return int(whole.num_rows)

    def _append(self, relation: Relation, generation: int, rows: pa.Table) -> None:
        schema = landing.change_schema(relation.columns)
        write = self._open.get((relation, generation))
        if write is None:
            file = landing.new_file(self._settings, SOURCE, relation.entity, schema)
            write = self._open[relation, generation] = self.enter_context(file)
        delivery = landing.Delivery(generation, self._sync_id)
        for first in range(0, rows.num_rows, _ROWS_A_GROUP):
            group = rows.slice(first, _ROWS_A_GROUP)
            write(delivery.table(schema, group.columns, group.num_rows))


def generations(tables: Mapping[str, TableState], entity: str, commit_lsns: Numbers) -> Numbers:
    """The generation that each change of a table belongs to, by when it was committed."""
    known = tables.get(entity, _NEVER_READ).generations
    since = np.array([since for since, _ in known])
    numbers = np.array([number for _, number in known])
    return np.asarray(numbers[np.searchsorted(since, commit_lsns, side="right") - 1])


def land_boundaries(settings: Settings, boundaries: Iterable[Boundary], sync_id: int) -> None:
    """Announce snapshots and truncations, after the rows they go with."""
    by_generation: dict[int, list[dict[str, object]]] = {}
    for boundary in boundaries:
        seq = landing.seq(boundary.generation, boundary.phase, boundary.lsn)
        row = {
            "source": SOURCE,
            "entity": boundary.entity,
            "seq": seq,
            "kind": boundary.kind,
            "committed_at": boundary.committed_us // 1000 * 1000,
            "commit_lsn": boundary.commit_lsn,
            "row_count": boundary.row_count,
        }
        by_generation.setdefault(boundary.generation, []).append(row)
    for generation, rows in by_generation.items():
        columns = pa.Table.from_pylist(rows, pa.schema(landing.BOUNDARY_COLUMNS)).columns
        delivery = landing.Delivery(generation, sync_id)
        table = delivery.table(landing.boundary_schema(), columns, len(rows))
        landing.write_file(settings, *landing.BOUNDARIES, table)


def _together(changes: Iterable[Changes]) -> list[list[Changes]]:
    by_shape: dict[Relation, list[Changes]] = {}
    for some in changes:
        by_shape.setdefault(some.relation, []).append(some)
    return list(by_shape.values())


def _of_one(some: Changes, owner: Numbers) -> Changes:
    return Changes(some.relation, some.columns, some.unchanged, some.deleted, some.lsn, owner)


def _table(some: Changes, commit_lsn: Numbers, at: pa.Array) -> pa.Table:
    """Changes with the columns of change data capture, and without Airbyte's."""
    deleted = pa.array(some.deleted)
    deleted_at = pc.if_else(deleted, at, pa.scalar(None, pa.string()))
    op = pc.if_else(deleted, "delete", "upsert")
    own = [pa.array(some.lsn), at, deleted_at, pa.array(commit_lsn), op, some.unchanged]
    schema = landing.change_schema(some.relation.columns)
    names = [field.name for field in schema][-len(some.columns) - len(own) :]
    return pa.Table.from_arrays([*some.columns, *own], names)
