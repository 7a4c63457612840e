"""The columns of a landing file: Airbyte's, the row's, and those of change data capture."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

SNAPSHOT, STREAM = 0, 1
"""The phases of `seq`: a snapshot's row is older than any streamed change of its generation."""

BOUNDARIES = ("_cdc", "boundaries")
"""Source and entity that snapshots and truncations are announced in."""

_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_COUNTED_DIGITS = 7
_COUNTED = 16**_COUNTED_DIGITS - 1

UTC_MICROSECONDS = pa.timestamp("us", "UTC")
_CHANGES = pa.list_(
    pa.struct([(name, pa.string()) for name in ("field", "change", "reason")]),
)
_META = pa.struct([("sync_id", pa.int64()), ("changes", _CHANGES)])
GENERATION = "_airbyte_generation_id"
_AIRBYTE_COLUMNS = (
    pa.field("_airbyte_raw_id", pa.string()),
    pa.field("_airbyte_extracted_at", UTC_MICROSECONDS),
    pa.field(GENERATION, pa.int64()),
    pa.field("_airbyte_meta", _META),
)
# A dictionary of what hardly repeats takes more time and more room than none.
REPEATED = ["_airbyte_extracted_at", GENERATION, "_airbyte_meta.sync_id", "_cdc_op"]
"""The columns whose values are the same in many rows."""
_CDC_COLUMNS = (
    pa.field("_ab_cdc_lsn", pa.int64()),
    pa.field("_ab_cdc_updated_at", pa.string()),
    pa.field("_ab_cdc_deleted_at", pa.string()),
    pa.field("_cdc_commit_lsn", pa.int64()),
    pa.field("_cdc_op", pa.string()),
    pa.field("_cdc_unchanged", pa.string()),
)
BOUNDARY_COLUMNS = (
    pa.field("source", pa.string()),
    pa.field("entity", pa.string()),
    pa.field("seq", pa.string()),
    pa.field("kind", pa.string()),
    pa.field("committed_at", UTC_MICROSECONDS),
    pa.field("commit_lsn", pa.int64()),
    pa.field("row_count", pa.int64()),
)


def change_schema(columns: Iterable[pa.Field]) -> pa.Schema:
    """The schema of a file with changes of a table that has these columns."""
    return pa.schema([*_AIRBYTE_COLUMNS, *columns, *_CDC_COLUMNS])


def row_schema(columns: Iterable[pa.Field]) -> pa.Schema:
    """The schema of a file with plain rows that have these columns."""
    return pa.schema([*_AIRBYTE_COLUMNS, *columns])


def boundary_schema() -> pa.Schema:
    """The schema of a file with boundaries."""
    return row_schema(BOUNDARY_COLUMNS)


def seq(generation: int, phase: int, lsn: int) -> str:
    """A position in the change log as text that sorts the same on every engine."""
    return f"{generation:06d}{phase}{lsn:019d}"


def iso_us(microseconds: int) -> str:
    """A moment, counted in microseconds since 1970, as Airbyte writes one."""
    return str(iso_ms_texts(np.array([microseconds]))[0])


def iso_ms_texts(microseconds: np.ndarray) -> pa.Array:
    """Moments, counted in microseconds since 1970, as Airbyte writes them; years 1 to 9999."""
    texts = pa.array(microseconds // 1000, pa.timestamp("ms")).cast(pa.string())
    count, width = len(texts), len("2024-10-01 12:00:00.000Z")
    digits = np.frombuffer(texts.buffers()[2], np.uint8)[: count * (width - 1)]
    text = np.full((count, width), ord("Z"), np.uint8)
    text[:, :-1] = digits.reshape(count, width - 1)
    text[:, 10] = ord("T")
    offsets = np.arange(count + 1, dtype=np.int32) * width
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(text.tobytes()))


@dataclass(frozen=True)
class Delivery:
    """Which generation and which sync rows come with: Airbyte's four columns."""

    generation: int
    sync_id: int

    def table(self, schema: pa.Schema, columns: Iterable[pa.Array], rows: int) -> pa.Table:
        """The columns after Airbyte's, completed to a table of this schema."""
        offsets = pa.array(np.zeros(rows + 1, np.int32))
        changes = pa.ListArray.from_arrays(offsets, pa.array([], _CHANGES.value_type))
        sync_ids = pa.repeat(pa.scalar(self.sync_id, pa.int64()), rows)
        airbyte = [
            _new_uuids(rows),
            pa.repeat(pa.scalar(datetime.now(UTC), UTC_MICROSECONDS), rows),
            pa.repeat(pa.scalar(self.generation, pa.int64()), rows),
            pa.StructArray.from_arrays([sync_ids, changes], fields=list(_META)),
        ]
        return pa.Table.from_arrays([*airbyte, *columns], schema=schema)


def _new_uuids(count: int) -> pa.Array:
    """Version 7 UUIDs as text: the moment, a random number, and behind it a counter.

    Made by column, since uuid4() would cost more than the row; and they compress well.
    """
    tail = int.from_bytes(os.urandom(8)) >> 2 & ~_COUNTED | 1 << 63  # the variant, then chance
    head = f"{time.time_ns() // 1_000_000:012x}7{int.from_bytes(os.urandom(2)) & 0xFFF:03x}"
    digits = f"{head}{tail:016x}"
    text = np.empty((count, 36), np.uint8)
    text[:] = np.frombuffer(
        "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])).encode(),
        np.uint8,
    )
    numbers = np.arange(count)
    for place in range(_COUNTED_DIGITS):
        text[:, 35 - place] = _HEX[numbers >> 4 * place & 0xF]
    offsets = np.arange(count + 1, dtype=np.int32) * 36
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(text))
