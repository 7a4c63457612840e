"""From pgoutput's messages to whole transactions, many messages at a time.

Changes of an ordinary transaction wait in memory for its end, which comes soon. Those of a big one
arrive in parts while it still runs, mixed with the parts of others: they are kept on disk until it
commits, and what its rolled-back savepoints did is left out then.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from lakehouse.cdc import protocol
from lakehouse.cdc.checks import Table
from lakehouse.cdc.columns import Messages, Numbers
from lakehouse.cdc.pending import Pending
from lakehouse.cdc.protocol import U32, Relation
from lakehouse.cdc.rows import Changes, Told, changes
from lakehouse.cdc.state import TO_START_ANEW
from lakehouse.cdc.streamed import Streamed
from lakehouse.cdc.types import Types
from lakehouse.erp import CLOCK_PREFIX, SCHEMA
from lakehouse.errors import LakehouseError, RefusedError

_ROWS = np.frombuffer(bytes([protocol.INSERT, protocol.UPDATE, protocol.DELETE]), np.uint8)
_CONTROLS = np.frombuffer(
    bytes([protocol.TRUNCATE, protocol.MESSAGE, protocol.STREAM_COMMIT, protocol.STREAM_ABORT]),
    np.uint8,
)
_KNOWN = np.frombuffer(b"BCRYOMIUDTSEcA", np.uint8)


class CatalogChangedError(Exception):
    """The log tells of a table or a type that was not there when the catalog was read."""

    def __init__(self, numbers: set[int]) -> None:
        super().__init__(f"unknown to the catalog that was read: {numbers}")
        self.numbers = numbers


@dataclass(frozen=True)
class Catalog:
    """What is known of the ERP's tables beside what the log tells."""

    types: Types
    tables: Mapping[str, Table]
    oids: frozenset[int]
    """The tables whose snapshots have been read."""
    asked: frozenset[int] = frozenset()
    """What the catalog was read anew for: what is still unknown came and went."""

    def unknown(self, relation: Relation) -> set[int]:
        types = {number for number in relation.types if not self.types.knows(number)}
        return ({relation.oid} - self.oids | types) - self.asked


@dataclass
class _Chunk:
    """Messages in the order in which they came, and what each belongs to."""

    messages: Messages
    lsns: Numbers
    in_stream: Numbers
    whose: Numbers
    """For a streamed message, the transaction; for another one, how many ended before it."""
    described: dict[int, tuple[list[int], list[Relation]]] = field(default_factory=dict)
    """For each table, from which message on it has which shape."""

    def behind_part(self, number: int) -> int:
        """Where a message goes on behind the part that made it."""
        return 5 if self.in_stream[number] else 1

    def part(self, number: int) -> int:
        return int(U32(self.messages[number], 1)[0])


class Decoder:
    """Fills a `Pending` with whole transactions, and knows how far the log has been taken in."""

    def __init__(self, pending: Pending, catalog: Catalog, position: int, folder: Path) -> None:
        self.position = position
        """Whatever was committed before this position has been decoded."""
        self._pending = pending
        self._catalog = catalog
        self._folder = folder
        self._relations: dict[int, Relation] = {}
        self._streamed: dict[int, Streamed] = {}
        self._stream: int | None = None
        self._is_open = False

    def feed(self, payloads: Sequence[bytes], lsns: Sequence[int]) -> None:
        """Take in the next messages; an `lsn` is where the change it tells of stands in the log."""
        messages = Messages(payloads)
        if not np.isin(messages.kinds, _KNOWN).all():
            strange = bytes(sorted(set(messages.kinds.tolist()) - set(_KNOWN.tolist())))
            raise LakehouseError(
                f"the ERP server sends messages of a kind that is not known: {strange!r}",
                hint="this version reads PostgreSQL 14 to 18",
            )
        chunk = self._placed(messages, np.array(lsns, np.int64))
        self._describe(chunk)
        self._take_rows(chunk)
        for number in np.flatnonzero(np.isin(messages.kinds, _CONTROLS)):
            self._control(chunk, int(number))
        self._commit(chunk)

    def reached(self, position: int) -> None:
        """The server says that it has sent everything before this position."""
        if not self._is_open and self._stream is None:
            self.position = max(self.position, position)

    def _placed(self, messages: Messages, lsns: Numbers) -> _Chunk:
        kinds = messages.kinds
        starts, stops = kinds == protocol.STREAM_START, kinds == protocol.STREAM_STOP
        depth = np.cumsum(starts.astype(np.int8)) - np.cumsum(stops.astype(np.int8))
        in_stream = (depth + (self._stream is not None) > 0) & ~starts
        is_commit = _is_commit(kinds)
        whose = self._pending.commits + np.cumsum(is_commit) - is_commit
        if in_stream.any():
            begun = messages.u32(messages.starts[starts] + 1)
            streams = np.concatenate(([-1 if self._stream is None else self._stream], begun))
            whose = np.where(in_stream, streams[np.cumsum(starts)], whose)
        if starts.any() or stops.any():
            last = int(np.flatnonzero(starts | stops)[-1])
            self._stream = None if stops[last] else int(U32(messages[last], 1)[0])
        return _Chunk(messages, lsns, in_stream, whose)

    def _describe(self, chunk: _Chunk) -> None:
        """Learn the shapes of tables.

        Not held back with a stream: the server tells of a table once, and counts on it even when
        the savepoint that first touched the table is rolled back.
        """
        told: list[tuple[int, Relation]] = []
        for number in np.flatnonzero(chunk.messages.kinds == protocol.RELATION).tolist():
            description = chunk.messages[number][chunk.behind_part(number) :]
            relation = protocol.relation(description, self._catalog.types)
            if relation.schema == SCHEMA and (unknown := self._catalog.unknown(relation)):
                raise CatalogChangedError(unknown)
            told.append((number, relation))
        for oid, relation in self._relations.items():
            chunk.described[oid] = ([-1], [relation])
        for number, relation in told:
            numbers, relations = chunk.described.setdefault(relation.oid, ([], []))
            if not relations or relations[-1] != relation:
                numbers.append(number)
                relations.append(relation)
            self._relations[relation.oid] = relations[-1]

    def _take_rows(self, chunk: _Chunk) -> None:
        messages = chunk.messages
        numbers = np.flatnonzero(np.isin(messages.kinds, _ROWS))
        at = messages.starts[numbers] + 1 + 4 * chunk.in_stream[numbers]
        oids = messages.u32(at)
        for oid in np.unique(oids):
            of_table = oids == oid
            since, relations = chunk.described[int(oid)]
            version = np.searchsorted(since, numbers, side="right") - 1
            for count, relation in enumerate(relations):
                which = of_table & (version == count)
                if relation.schema == SCHEMA and which.any():
                    self._take(chunk, relation, numbers[which], at[which] + 4)

    def _take(self, chunk: _Chunk, relation: Relation, numbers: Numbers, at: Numbers) -> None:
        key = _key(relation, self._catalog.tables.get(relation.entity))
        in_stream, whose = chunk.in_stream[numbers], chunk.whose[numbers]

        def told(which: Numbers, owner: Numbers) -> Iterator[Changes]:
            kinds, lsn = chunk.messages.kinds[numbers], chunk.lsns[numbers]
            mine = Told(relation, key, at[which], kinds[which], lsn[which], owner[which])
            return changes(chunk.messages, mine)

        if not in_stream.all():
            for some in told(~in_stream, whose):
                self._pending.add(some)
        if in_stream.any():
            parts = chunk.messages.u32(chunk.messages.starts[numbers] + 1)
            for transaction in np.unique(whose[in_stream]):
                streamed = self._of(int(transaction))
                for some in told(in_stream & (whose == transaction), parts):
                    streamed.add(some)

    def _of(self, transaction: int) -> Streamed:
        if transaction not in self._streamed:
            self._streamed[transaction] = Streamed(self._folder / f"{transaction}.arrows")
        return self._streamed[transaction]

    def _control(self, chunk: _Chunk, number: int) -> None:
        payload, kind = chunk.messages[number], chunk.messages.kinds[number]
        if kind == protocol.TRUNCATE:
            for oid in protocol.truncated(payload, chunk.behind_part(number)):
                since, relations = chunk.described[oid]
                relation = relations[bisect_right(since, number) - 1]
                if relation.schema == SCHEMA:
                    self._truncate(chunk, number, relation.entity)
        elif kind == protocol.MESSAGE:
            self._message(chunk, number, payload)
        elif kind == protocol.STREAM_COMMIT:
            streamed = self._streamed.pop(chunk.part(number), None)
            if streamed is not None:
                self._pending.take(streamed, int(chunk.whose[number]))
        else:
            transaction, part = chunk.part(number), int(U32(payload, 5)[0])
            if part != transaction:
                self._of(transaction).rolled_back.add(part)
            elif transaction in self._streamed:
                self._streamed.pop(transaction).remove()

    def _truncate(self, chunk: _Chunk, number: int, entity: str) -> None:
        lsn, whose = int(chunk.lsns[number]), int(chunk.whose[number])
        if chunk.in_stream[number]:
            self._of(whose).truncations.append((chunk.part(number), entity, lsn))
        else:
            self._pending.truncate(entity, lsn, whose)

    def _message(self, chunk: _Chunk, number: int, payload: bytes) -> None:
        at = chunk.behind_part(number)
        prefix, content = protocol.message(payload, at)
        is_transactional = payload[at] == 1
        if prefix != CLOCK_PREFIX or not is_transactional:
            return
        clock, whose = _clock(content), int(chunk.whose[number])
        if chunk.in_stream[number]:
            self._of(whose).clocks.append((chunk.part(number), clock))
        else:
            self._pending.clocks[whose] = clock

    def _commit(self, chunk: _Chunk) -> None:
        kinds, starts = chunk.messages.kinds, chunk.messages.starts
        ended = _is_commit(kinds)
        if ended.any():
            at = starts[ended] + 2 + 4 * (kinds[ended] == protocol.STREAM_COMMIT)
            number: Callable[[int], Numbers] = lambda behind: chunk.messages.i64(at + behind)  # noqa: E731
            self._pending.commit(number(0), number(16) + protocol.EPOCH_US)
            self.position = max(self.position, int(number(8).max()))
        borders = np.flatnonzero((kinds == protocol.BEGIN) | (kinds == protocol.COMMIT))
        if len(borders):
            self._is_open = bool(kinds[borders[-1]] == protocol.BEGIN)


def _is_commit(kinds: Numbers) -> Numbers:
    return np.asarray((kinds == protocol.COMMIT) | (kinds == protocol.STREAM_COMMIT))


def _key(relation: Relation, table: Table | None) -> tuple[str, ...]:
    """The columns that tell rows apart, from what REPLICA IDENTITY sends of a changed row."""
    known = table.key if table is not None else ()
    names = {column.name for column in relation.columns}
    identity = relation.replica_identity
    if identity == "d" and relation.flagged:
        return relation.flagged
    if identity == "i" and set(relation.flagged) == set(known or relation.flagged):
        return relation.flagged
    if identity == "f" and known and names.issuperset(known):
        return known
    raise RefusedError(
        f"{relation.entity} of the ERP no longer tells which row changed by its primary key",
        hint=f"run `alter table {SCHEMA}.{relation.entity} replica identity default` there; as the "
        f"change log keeps what was written before: {TO_START_ANEW}",
    )


def _clock(content: bytes) -> int:
    try:
        clock = datetime.fromisoformat(content.decode("utf8"))
    except ValueError as error:
        raise LakehouseError(
            f"a `{CLOCK_PREFIX}` message of the ERP holds {content!r}, which is no ISO-8601 time",
            hint=f"correct the program that emits it; {TO_START_ANEW}",
        ) from error
    at = clock if clock.tzinfo else clock.replace(tzinfo=UTC)
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
