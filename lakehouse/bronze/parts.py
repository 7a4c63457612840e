"""Parquet parts of a Delta table, written by pyarrow row group by row group.

The writer of deltalake keeps what it writes: 15 million rows in one commit took it 1.4 GB.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake.transaction import AddAction

from lakehouse.landing.files import sync_folder

ROWS_IN_A_GROUP = 122_880
READ_BYTES = 1 << 20
BYTES_IN_A_GROUP = 64 << 20
ROWS_AT_A_TIME = 65_536
BYTES_AT_A_TIME = 32 << 20
OF_ONE_LOAD = ("_airbyte_extracted_at", "_batch_id", "_loaded_at")
LONGEST_BOUND = 64
"""Longer texts bound nothing that is worth its place in every reader's log."""


@dataclass(frozen=True)
class Layout:
    """How a table is made, and what every part of it obeys."""

    schema: pa.Schema
    description: str
    partition_by: Sequence[str]
    bounded: Sequence[str]
    """Columns whose least and greatest value each part tells, so that readers can skip it."""
    configuration: Mapping[str, str]


def parquet(source: Path | pa.Buffer) -> pq.ParquetFile:
    """A file to read piece by piece: what is not asked for explicitly here is the whole of it."""
    return pq.ParquetFile(source, pre_buffer=False, buffer_size=READ_BYTES)


def rows_at_a_time(metadata: pq.FileMetaData) -> int:
    """As many rows as are some megabytes: a row may be a megabyte by itself."""
    groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
    width = max((group.total_byte_size // max(group.num_rows, 1) for group in groups), default=0)
    return max(1, min(ROWS_AT_A_TIME, BYTES_AT_A_TIME // max(width, 1)))


class Part:
    """One part being written; it belongs to the table once a commit adds it."""

    def __init__(self, table: Path, layout: Layout, partition: Mapping[str, str]) -> None:
        self._table, self._layout, self._partition = table, layout, dict(partition)
        folder = "/".join(f"{column}={value}" for column, value in partition.items())
        self._path = table / folder / f"part-{uuid.uuid4()}.zstd.parquet"
        self._schema = pa.schema([one for one in layout.schema if one.name not in partition])
        self._waiting: list[pa.RecordBatch] = []
        self._rows = self._bytes = 0
        self._out: IO[bytes] | None = None
        self._writer: pq.ParquetWriter | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows; a row group is written once there are enough for one."""
        unknown = set(batch.schema.names) - {*self._schema.names, *self._partition}
        if unknown:
            raise ValueError(f"the table has no columns {', '.join(sorted(unknown))}")
        if batch.num_rows:
            self._waiting.append(batch.select(self._schema.names))
            self._rows += batch.num_rows
            self._bytes += batch.nbytes
            if self._rows >= ROWS_IN_A_GROUP or self._bytes >= BYTES_IN_A_GROUP:
                self._flush()

    def finish(self, *, data_change: bool = True) -> AddAction | None:
        """Make the part durable and say how to add it; None when it has no row."""
        if self._rows:
            self._flush()
        if self._writer is None or self._out is None:
            return None
        self._writer.close()
        self._out.flush()
        # A commit that outlives its rows in a power cut would be worse than neither.
        os.fsync(self._out.fileno())
        self._out.close()
        sync_folder(self._path.parent)
        state = self._path.stat()
        statistics = _statistics(pq.read_metadata(self._path), self._schema, self._layout.bounded)
        return AddAction(
            path=str(self._path.relative_to(self._table)),
            size=state.st_size,
            partition_values=self._partition,
            modification_time=state.st_mtime_ns // 1_000_000,
            data_change=data_change,
            stats=json.dumps(statistics, ensure_ascii=False),
        )

    def discard(self) -> None:
        """Remove what was written; no commit knows of it."""
        if self._out is not None:
            with suppress(OSError, pa.ArrowInvalid):
                self._out.close()
            self._path.unlink(missing_ok=True)

    def _flush(self) -> None:
        if self._writer is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._out = self._path.open("xb")
            self._writer = pq.ParquetWriter(
                self._out,
                self._schema,
                compression="zstd",
                use_dictionary=_repeating(self._schema),
            )
        self._writer.write_table(pa.Table.from_batches(self._waiting, self._schema))
        self._waiting, self._rows, self._bytes = [], 0, 0


class Parts:
    """The parts of one commit."""

    def __init__(self, table: Path, layout: Layout, partition: Mapping[str, str]) -> None:
        self._made = (table, layout, partition)
        self._parts: list[Part] = []
        self._finished: list[Part] = []
        self._shared: Part | None = None

    def shared(self) -> Part:
        """The part of all that is small: many small files would make many small parts."""
        if self._shared is None:
            self._shared = self.own()
        return self._shared

    def own(self) -> Part:
        """A part that can be thrown away alone."""
        part = Part(*self._made)
        self._parts.append(part)
        return part

    def forget(self, part: Part) -> None:
        """Throw one part away."""
        part.discard()
        self._parts.remove(part)

    def finish(self) -> list[AddAction]:
        """Make all of them durable and say how to add them."""
        finished = [part.finish() for part in self._parts]
        self._finished, self._parts, self._shared = self._parts, [], None
        return [action for action in finished if action is not None]

    def discard(self) -> None:
        """Throw away what is not finished: of what is, a commit may know by now."""
        for part in self._parts:
            part.discard()

    def withdraw(self) -> None:
        """Throw all of them away, once it is known that no commit took them."""
        self.discard()
        for part in self._finished:
            part.discard()


def _repeating(schema: pa.Schema) -> list[str]:
    """The columns worth a dictionary: numbers and positions are smaller and faster without."""
    texts = [one.name for one in schema if not _is_number(one.type) and one.name != "_cdc_seq"]
    return [*texts, *(name for name in OF_ONE_LOAD if name in schema.names)]


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_temporal(kind)
    )


def _statistics(
    metadata: pq.FileMetaData, schema: pa.Schema, bounded: Sequence[str]
) -> dict[str, Any]:
    """What a reader may skip the part by, in the form of the Delta protocol."""
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    least: dict[str, Any] = {}
    greatest: dict[str, Any] = {}
    nulls: dict[str, int] = {}
    for name in bounded:
        place = schema.get_field_index(name)
        known = [group.column(place).statistics for group in groups]
        if any(one is None or one.null_count is None for one in known):
            continue
        nulls[name] = sum(one.null_count for one in known)
        filled = [one for one, group in zip(known, groups, strict=True) if _filled(one, group)]
        if filled and all(one.has_min_max for one in filled):
            low = _bound(min(one.min for one in filled))
            high = _bound(max(one.max for one in filled))
            if low is not None and high is not None:
                least[name], greatest[name] = low, high
    return {
        "numRecords": metadata.num_rows,
        "minValues": least,
        "maxValues": greatest,
        "nullCount": nulls,
    }


def _filled(statistics: pq.Statistics, group: pq.RowGroupMetaData) -> bool:
    return bool(statistics.null_count < group.num_rows)


def _bound(value: Any) -> str | int | None:
    """A bound as JSON; None for what is too long, or of a type nobody skips by."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return value if len(value) <= LONGEST_BOUND else None
    return value if isinstance(value, int) else None
