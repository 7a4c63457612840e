"""pgoutput's messages, as in PostgreSQL's "Logical Replication Message Formats"."""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import Struct

import pyarrow as pa

from lakehouse.cdc.types import Types

U16 = Struct(">H").unpack_from
U32 = Struct(">I").unpack_from
TYPE = Struct(">Ii").unpack_from

BEGIN, COMMIT, RELATION, MESSAGE = b"BCRM"
INSERT, UPDATE, DELETE, TRUNCATE = b"IUDT"
STREAM_START, STREAM_STOP, STREAM_COMMIT, STREAM_ABORT = b"SEcA"
KEY, OLD, NEW = b"KON"
TEXT, UNCHANGED = b"tu"

EPOCH_US = 946_684_800_000_000
"""Where PostgreSQL begins to count, 2000-01-01, in microseconds since 1970."""


@dataclass(frozen=True)
class Relation:
    """A table as the changes that refer to it see it; another shape is another relation."""

    oid: int
    schema: str
    entity: str
    replica_identity: str
    columns: tuple[pa.Field, ...]
    flagged: tuple[str, ...]
    """Columns of the replica identity; under FULL that is every column."""
    types: tuple[int, ...] = field(compare=False)

    def with_text(self, positions: tuple[int, ...]) -> Relation:
        """The same table with these columns as text, for values that their types cannot hold."""
        columns = list(self.columns)
        for position in positions:
            columns[position] = pa.field(columns[position].name, pa.string())
        return Relation(
            self.oid,
            self.schema,
            self.entity,
            self.replica_identity,
            tuple(columns),
            self.flagged,
            self.types,
        )


def relation(description: bytes, types: Types) -> Relation:
    """The table that a RELATION message describes."""
    (oid,) = U32(description)
    schema, at = _string(description, 4)
    entity, at = _string(description, at)
    replica_identity = chr(description[at])
    (count,) = U16(description, at + 1)
    at += 3
    columns, flagged, oids = [], [], []
    for _ in range(count):
        is_flagged = description[at] & 1
        name, at = _string(description, at + 1)
        type_oid, modifier = TYPE(description, at)
        columns.append(pa.field(name, types.arrow(type_oid, modifier)))
        oids.append(type_oid)
        flagged += [name] if is_flagged else []
        at += 8
    return Relation(
        oid, schema, entity, replica_identity, tuple(columns), tuple(flagged), tuple(oids)
    )


def truncated(payload: bytes, at: int) -> tuple[int, ...]:
    """The numbers of the relations that a TRUNCATE message empties."""
    (count,) = U32(payload, at)
    return tuple(U32(payload, at + 5 + 4 * i)[0] for i in range(count))


def message(payload: bytes, at: int) -> tuple[str, bytes]:
    """Prefix and content of a logical message."""
    prefix, at = _string(payload, at + 9)
    return prefix, payload[at + 4 : at + 4 + U32(payload, at)[0]]


def _string(payload: bytes, at: int) -> tuple[str, int]:
    end = payload.index(0, at)
    return payload[at:end].decode("utf8"), end + 1
