"""Rows and files that bronze cannot take, each kept with its reason: nothing delivered is lost.

The quarantine only grows, too. A row that a replay has brought into bronze after all gets a second
entry, which says with which batch it was released.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from lakehouse.bronze import evolution, files, tables
from lakehouse.bronze.contract import Contract
from lakehouse.bronze.files import REFUSED_AT_A_TIME, File, Refused
from lakehouse.bronze.parts import Layout, Part, Parts
from lakehouse.bronze.shape import same
from lakehouse.bronze.tables import Table
from lakehouse.bronze.types import UTC_TIME
from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings

SCHEMA = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("entity", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("source_file", pa.string(), nullable=False),
        pa.field("source_sha256", pa.string(), nullable=False),
        pa.field("source_row", pa.int64()),
        pa.field("payload", pa.string()),
        pa.field("original", pa.binary()),
        pa.field("_loaded_at", UTC_TIME, nullable=False),
        pa.field("original_piece", pa.int64()),
        pa.field("released_batch_id", pa.int64()),
    ]
)
DESCRIPTION = (
    "What bronze could not take. One row per refused row, its values as JSON in payload,"
    " or per unreadable file, its bytes in original; and one per row that a replay released."
)
LAYOUT = Layout(
    schema=SCHEMA,
    description=DESCRIPTION,
    partition_by=(),
    bounded=("source", "entity", "source_sha256"),
    configuration={"delta.appendOnly": "true"},
)


class Source(Protocol):
    """What tells a file: a landing file, or what the quarantine remembers of one."""

    @property
    def name(self) -> str: ...
    @property
    def sha256(self) -> str: ...


ORIGINAL_BYTES = 16 << 20
"""An unreadable file is kept in pieces of this size: it may be larger than memory."""

Entry = dict[str, Any]


def uri(settings: Settings) -> str:
    """Where the quarantine lies."""
    return f"{settings.bronze_uri}/_quarantine"


def make(settings: Settings) -> None:
    """Make the quarantine when it is missing."""
    if not tables.exists(uri(settings)):
        opened(settings)


def opened(settings: Settings) -> Table:
    """The quarantine as it is now, made empty if it is not there yet."""
    place = uri(settings)
    delta = tables.opened_or_made(place, LAYOUT)
    if not same(pa.schema(delta.schema()), SCHEMA):
        evolution.evolve(place, delta, LAYOUT)
        delta = DeltaTable(place)
    return Table(place, LAYOUT, delta)


@contextmanager
def keeping(
    settings: Settings, contract: Contract, loaded_at: datetime, *, anew: str = ""
) -> Iterator[Keeping]:
    """What a load refuses of one table; removed again unless the block commits it.

    `anew` tells what a replay refuses of a file apart from what its load refused.
    """
    kept = Keeping(settings, contract, loaded_at, anew)
    try:
        with tables.writing(uri(settings)):
            yield kept
    finally:
        kept.close()


class Keeping:
    """Refused rows and files of one load of one table, written on their way to one commit."""

    def __init__(
        self, settings: Settings, contract: Contract, loaded_at: datetime, anew: str
    ) -> None:
        self._settings, self._contract, self._loaded_at = settings, contract, loaded_at
        self._anew = anew
        self._table: Table | None = None
        self._parts: Parts | None = None
        self._counts: dict[str, int] = {}

    def of(self, file: Source, *, is_small: bool) -> Refusals:
        """Where the refused rows of a file go."""
        return Refusals(self, file, is_small=is_small)

    def whole(self, file: File, reason: str) -> None:
        """Keep a file that cannot be read, byte by byte."""
        if self._opened().has(self._id(file)):
            raise LakehouseError(
                f"the landing file {file.path} could be read once, and now it cannot: {reason}",
                hint="rows of it are in quarantine already; load it with the version that read it",
            )
        part = self.parts().shared()
        with file.path.open("rb") as content:
            pieces = iter(lambda: content.read(ORIGINAL_BYTES), b"")
            for number, original in enumerate(pieces if file.size else [b""]):
                entry = {"reason": reason, "original": original, "original_piece": number}
                part.write(self.batch(file, [entry]))
        files.assert_unchanged(file)
        self._counts[self._id(file)] = 1

    def parts(self) -> Parts:
        """The parts of the quarantine that this load adds."""
        if self._parts is None:
            table = self._opened()
            self._parts = Parts(tables.folder(table.uri), LAYOUT, {})
        return self._parts

    def held(self, file: Source) -> pa.Array | None:
        """The rows of a file that wait already, kept by one who was killed; null is its bytes."""
        if not self._opened().has(self._id(file)):
            return None
        query = """
            select source_row from delta_scan(?)
            where source = ? and entity = ? and source_sha256 = ?
            group by source_row having count(released_batch_id) = 0
        """
        own = [uri(self._settings), self._contract.source, self._contract.entity, file.sha256]
        with tables.reading(self._settings) as connection:
            found = connection.execute(query, own).to_arrow_table()
        return found["source_row"].combine_chunks()

    def count(self, file: Source, rows: int) -> None:
        """Tell how many rows of a file are kept now, after those that were before."""
        name = self._id(file)
        self._counts[name] = (self._opened().version_of(name) or 0) + rows

    def batch(self, file: Source, entries: list[Entry]) -> pa.RecordBatch:
        """Entries about a file, completed."""
        common = {
            "source": self._contract.source,
            "entity": self._contract.entity,
            "source_file": file.name,
            "source_sha256": file.sha256,
            "_loaded_at": self._loaded_at,
        }
        return pa.RecordBatch.from_pylist([common | entry for entry in entries], SCHEMA)

    def commit(self, more: Mapping[str, int] | None = None) -> None:
        """Commit what is kept, if anything is."""
        ids = self._counts | dict(more or {})
        if not ids:
            return
        parts = self.parts()
        try:
            self._opened().commit(parts.finish(), ids)
        except CommitFailedError:
            parts.withdraw()
            raise

    def close(self) -> None:
        """Remove what no commit can know of."""
        if self._parts is not None:
            self._parts.discard()

    def _opened(self) -> Table:
        if self._table is None:
            self._table = opened(self._settings)
        return self._table

    def _id(self, file: Source) -> str:
        # The same bytes may be delivered for two entities: an empty file is.
        return f"{self._contract.name}/{file.sha256}{self._anew}"


class Refusals:
    """The refused rows of one file; a part of their own where they cannot be held.

    A row that is kept already stays refused, whatever the contract says by now: only a replay,
    which releases it, brings it into bronze.
    """

    def __init__(self, kept: Keeping, file: Source, *, is_small: bool) -> None:
        self._kept, self._file, self._is_small = kept, file, is_small
        self._part: Part | None = None
        self._held = kept.held(file)
        self._new = 0

    @property
    def is_whole(self) -> bool:
        """Whether the file is kept byte by byte already."""
        return self._held is not None and self._held.null_count > 0

    def left(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """The rows that are not kept already."""
        if self._held is None:
            return rows
        return rows.filter(pc.invert(pc.is_in(rows["_source_row"], value_set=self._held)))

    def write(self, refused: Iterable[Refused]) -> None:
        """Write the refused rows that are not kept already."""
        rows = iter(refused)
        while some := list(islice(rows, REFUSED_AT_A_TIME)):
            new = self._not_held(some)
            if new:
                self._new += len(new)
                self._into().write(self._kept.batch(self._file, [_entry(one) for one in new]))

    def done(self) -> int:
        """Say that the file was read to its end; says how many rows of it wait."""
        before = 0 if self._held is None else len(self._held) - self._held.null_count
        if self._new:
            self._kept.count(self._file, self._new)
        return before + self._new

    def forget(self) -> None:
        """Take back what was written of a file that turned out to be unreadable."""
        if self._part is not None:
            self._kept.parts().forget(self._part)

    def _not_held(self, some: list[Refused]) -> list[Refused]:
        if self._held is None:
            return some
        numbers = pa.array([one.row for one in some], pa.int64())
        held = pc.is_in(numbers, value_set=self._held).to_pylist()
        return [one for one, is_held in zip(some, held, strict=True) if not is_held]

    def _into(self) -> Part:
        if self._is_small:
            return self._kept.parts().shared()
        if self._part is None:
            self._part = self._kept.parts().own()
        return self._part


def _entry(one: Refused) -> Entry:
    return {
        "source_row": one.row,
        "reason": one.reason,
        "payload": one.payload,
        "original": one.original,
    }
