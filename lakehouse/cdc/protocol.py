"""pgoutput's messages, as in PostgreSQL's "Logical Replication Message Formats"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from struct import Struct

import pyarrow as pa

from lakehouse.cdc.types import arrow_type

Values = list[bytes | None]

U16 = Struct(">H").unpack_from
U32 = Struct(">I").unpack_from
U64 = Struct(">Q").unpack_from
I64 = Struct(">q").unpack_from
TYPE = Struct(">Ii").unpack_from

BEGIN, COMMIT, RELATION, MESSAGE = b"BCRM"
INSERT, UPDATE, DELETE, TRUNCATE = b"IUDT"
STREAM_START, STREAM_STOP, STREAM_COMMIT, STREAM_ABORT = b"SEcA"
KEY, NEW = b"KN"
TEXT, NULL, UNCHANGED = b"tnu"

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, eq=False)
class Relation:
    """A table as the changes that refer to it see it; another shape is another relation."""

    schema: str
    name: str
    replica_identity: str
    columns: tuple[pa.Field, ...]
    key: tuple[int, ...]
    """Positions of the columns that identify a row."""


def relation(payload: bytes) -> Relation:
    """The table that a RELATION message describes, behind the number changes call it by."""
    schema, at = _string(payload, 4)
    name, at = _string(payload, at)
    replica_identity = chr(payload[at])
    (count,) = U16(payload, at + 1)
    at += 3
    columns, key = [], []
    for position in range(count):
        if payload[at] & 1:
            key.append(position)
        column, at = _string(payload, at + 1)
        oid, modifier = TYPE(payload, at)
        columns.append(pa.field(column, arrow_type(oid, modifier)))
        at += 8
    return Relation(schema, name, replica_identity, tuple(columns), tuple(key))


def row(payload: bytes, at: int) -> tuple[Values, tuple[int, ...], int]:
    """A row's values as text, which of them stayed as they were (TOAST), and where it ends."""
    (count,) = U16(payload, at)
    at += 2
    values: Values = []
    unchanged: tuple[int, ...] = ()
    for _ in range(count):
        kind = payload[at]
        if kind == TEXT:
            start = at + 5
            at = start + U32(payload, at + 1)[0]
            values.append(payload[start:at])
            continue
        if kind == UNCHANGED:
            unchanged += (len(values),)
        elif kind != NULL:
            raise ValueError(f"a value of unknown kind {chr(kind)!r}")
        values.append(None)
        at += 1
    return values, unchanged, at


def truncated(payload: bytes, at: int) -> tuple[int, ...]:
    """The numbers of the relations that a TRUNCATE message empties."""
    (count,) = U32(payload, at)
    return tuple(U32(payload, at + 5 + 4 * i)[0] for i in range(count))


def message(payload: bytes, at: int) -> tuple[str, bytes]:
    """Prefix and content of a logical message."""
    prefix, at = _string(payload, at + 9)
    return prefix, payload[at + 4 : at + 4 + U32(payload, at)[0]]


def moment(payload: bytes, at: int) -> datetime:
    """A point in time, counted in microseconds since 2000."""
    return _EPOCH + timedelta(microseconds=I64(payload, at)[0])


def _string(payload: bytes, at: int) -> tuple[str, int]:
    end = payload.index(0, at)
    return payload[at:end].decode("utf8"), end + 1
