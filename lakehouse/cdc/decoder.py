"""From pgoutput's messages to whole transactions.

Changes of an ordinary transaction go to the capture as they come. Those of a big one arrive in
parts while it still runs, mixed with the parts of others: they are held until it commits, and
what its rolled-back savepoints did is left out.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from lakehouse.cdc import protocol
from lakehouse.cdc.capture import Capture, Commit
from lakehouse.cdc.connection import SCHEMA
from lakehouse.cdc.protocol import U32, U64, Relation, Values
from lakehouse.cdc.state import TO_START_ANEW
from lakehouse.errors import LakehouseError, RefusedError

CLOCK = "lakehouse.clock"
_CHANGES = frozenset(
    (
        protocol.INSERT,
        protocol.UPDATE,
        protocol.DELETE,
        protocol.TRUNCATE,
        protocol.MESSAGE,
    )
)


class _Change(NamedTuple):
    """One change as it came; `at` is where it goes on behind the number of its transaction."""

    part: int
    """The transaction or savepoint that made it, where the server says so."""
    lsn: int
    payload: bytes
    at: int
    relations: tuple[Relation, ...]


@dataclass
class _Streamed:
    """A big transaction that has not ended."""

    changes: deque[_Change] = field(default_factory=deque)
    rolled_back: set[int] = field(default_factory=set)


class Decoder:
    """Feeds a capture with whole transactions, and knows how far the log has been taken in."""

    def __init__(self, capture: Capture, position: int) -> None:
        self.position = position
        """Whatever was committed before this position has been decoded."""
        self.transactions = 0
        self.changes = 0
        self._capture = capture
        self._shapes: dict[bytes, Relation] = {}
        self._relations: dict[int, tuple[Relation, ...]] = {}
        self._streamed: dict[int, _Streamed] = {}
        self._stream: _Streamed | None = None
        self._is_open = False
        self._clock: datetime | None = None

    def feed(self, payload: bytes, lsn: int) -> None:
        """Take in the next message; `lsn` is where the change it tells of stands in the log."""
        kind = payload[0]
        if kind in _CHANGES:
            self._change(kind, payload, lsn)
        elif kind == protocol.RELATION:
            # Not held back with a stream: the server tells of a table once, and counts on it
            # even when the savepoint that first touched the table is rolled back.
            description = payload[1 if self._stream is None else 5 :]
            relation = self._shapes.get(description)
            if relation is None:
                relation = self._shapes[description] = _identified(protocol.relation(description))
            self._relations[U32(description)[0]] = (relation,)
        else:
            self._control(kind, payload, lsn)

    def reached(self, position: int) -> None:
        """The server says that it has sent everything before this position."""
        if not self._is_open and self._stream is None:
            self.position = max(self.position, position)

    def _control(self, kind: int, payload: bytes, lsn: int) -> None:
        if kind == protocol.BEGIN:
            self._is_open = True
        elif kind == protocol.COMMIT:
            self._commit(payload, 2)
            self._is_open = False
        elif kind == protocol.STREAM_START:
            self._stream = self._streamed.setdefault(U32(payload, 1)[0], _Streamed())
        elif kind == protocol.STREAM_STOP:
            self._stream = None
            self.reached(lsn)
        elif kind == protocol.STREAM_COMMIT:
            streamed = self._streamed.pop(U32(payload, 1)[0])
            while streamed.changes:  # let go of each, so that memory holds them once
                change = streamed.changes.popleft()
                if change.part not in streamed.rolled_back:
                    self._apply(change)
            self._commit(payload, 6)
        elif kind == protocol.STREAM_ABORT:
            transaction, part = U32(payload, 1)[0], U32(payload, 5)[0]
            if part == transaction:
                del self._streamed[transaction]
            else:
                self._streamed[transaction].rolled_back.add(part)

    def _commit(self, payload: bytes, at: int) -> None:
        (lsn,), (end,) = U64(payload, at), U64(payload, at + 8)
        clock = self._clock or protocol.moment(payload, at + 16)
        changes = self._capture.commit(Commit(lsn, clock))
        self._clock = None
        self.changes += changes
        self.transactions += changes > 0
        self.position = max(self.position, end)

    def _change(self, kind: int, payload: bytes, lsn: int) -> None:
        at = 1 if self._stream is None else 5
        # Looked up now: by the time a streamed change is applied, the table may look different.
        relations: tuple[Relation, ...] = ()
        if kind == protocol.TRUNCATE:
            for number in protocol.truncated(payload, at):
                relations += self._relations[number]
        elif kind != protocol.MESSAGE:
            relations = self._relations[U32(payload, at)[0]]
        if self._stream is None:
            self._apply(_Change(0, lsn, payload, at, relations))
        else:
            part = U32(payload, 1)[0]
            self._stream.changes.append(_Change(part, lsn, payload, at, relations))

    def _apply(self, change: _Change) -> None:
        kind = change.payload[0]
        if kind == protocol.MESSAGE:
            self._message(change)
            return
        for relation in change.relations:
            if relation.schema != SCHEMA:
                continue
            if kind == protocol.TRUNCATE:
                self._capture.truncate(relation, change.lsn)
            else:
                self._row(kind, change, relation)

    def _row(self, kind: int, change: _Change, relation: Relation) -> None:
        payload, at = change.payload, change.at + 4
        old: Values | None = None
        if payload[at] == protocol.KEY:
            old, _, at = protocol.row(payload, at + 1)
        if kind == protocol.DELETE:
            assert old is not None, "a delete carries the old key"
            self._capture.delete(relation, change.lsn, old)
            return
        new, unchanged, _ = protocol.row(payload, at + 1)
        if old is not None:
            for position in unchanged:
                if position in relation.key:  # a key long enough for TOAST comes as the old one
                    new[position] = old[position]
            unchanged = tuple(p for p in unchanged if p not in relation.key)
            if any(new[position] != old[position] for position in relation.key):
                self._capture.delete(relation, change.lsn, old)
        self._capture.upsert(relation, change.lsn, new, unchanged, len(payload))

    def _message(self, change: _Change) -> None:
        prefix, content = protocol.message(change.payload, change.at)
        is_transactional = change.payload[change.at] == 1
        if prefix != CLOCK or not is_transactional:
            return
        try:
            clock = datetime.fromisoformat(content.decode("utf8"))
        except ValueError as error:
            raise LakehouseError(
                f"a `{CLOCK}` message of the ERP holds {content!r}, which is no ISO-8601 time",
                hint=f"correct the program that emits it; {TO_START_ANEW}",
            ) from error
        self._clock = clock if clock.tzinfo else clock.replace(tzinfo=UTC)


def _identified(relation: Relation) -> Relation:
    if relation.schema == SCHEMA and relation.replica_identity != "d":
        raise RefusedError(
            f"{relation.name} no longer tells which row changed by its primary key",
            hint=f"run `alter table {SCHEMA}.{relation.name} replica identity default` in the ERP; "
            f"as the change log keeps what was written before: {TO_START_ANEW}",
        )
    return relation
