"""Big transactions that the server sends while they still run: kept on disk until they end."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from lakehouse.cdc.columns import Numbers
from lakehouse.cdc.protocol import Relation
from lakehouse.cdc.rows import Changes
from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings

_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


@dataclass
class Streamed:
    """One big transaction that has not ended, or waits to be landed."""

    file: Path
    truncations: list[tuple[int, str, int]] = field(default_factory=list)
    """The part of the transaction, the table, and the position of each TRUNCATE."""
    clocks: list[tuple[int, int]] = field(default_factory=list)
    rolled_back: set[int] = field(default_factory=set)
    _kept: list[tuple[Relation, int, int]] = field(default_factory=list)

    def add(self, changes: Changes) -> None:
        """Keep changes, whose owners are the parts of the transaction that made them."""
        own = [changes.unchanged, *map(pa.array, (changes.deleted, changes.lsn, changes.owner))]
        columns = [*changes.columns, *own]
        batch = pa.RecordBatch.from_arrays(columns, [str(n) for n in range(len(columns))])
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema, options=_OPTIONS) as writer:
            writer.write_batch(batch)
        content = sink.getvalue()
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self.file.open("ab") as file:
                start = file.tell()
                file.write(content)
        except OSError as error:
            raise LakehouseError(
                f"a big transaction of the ERP could not be kept in {self.file.parent}: "
                f"{error.strerror}",
                hint="make room there, then run `lakehouse cdc sync`: nothing is lost",
            ) from error
        self._kept.append((changes.relation, start, content.size))

    def is_rolled_back(self, part: int) -> bool:
        return part in self.rolled_back

    def changes(self) -> Iterator[Changes]:
        """What was not rolled back, a piece at a time."""
        if not self._kept:
            return
        gone = np.array(sorted(self.rolled_back), np.int64)
        with self.file.open("rb") as file:
            for relation, start, size in self._kept:
                file.seek(start)
                kept = _read(relation, file.read(size))
                stays = ~np.isin(kept.owner, gone)
                if stays.all():
                    yield kept
                elif stays.any():
                    yield kept.filter(stays)

    def remove(self) -> None:
        self.file.unlink(missing_ok=True)


def folder(settings: Settings) -> Path:
    return settings.home / "cdc" / "streamed"


def remove_all(settings: Settings) -> None:
    """Remove what an earlier reader kept: the server sends it again."""
    shutil.rmtree(folder(settings), ignore_errors=True)


def _read(relation: Relation, content: bytes) -> Changes:
    with pa.ipc.open_stream(content) as reader:
        batch = reader.read_next_batch()
    *columns, unchanged, deleted, lsn, owner = batch.columns
    return Changes(relation, columns, unchanged, _numbers(deleted), _numbers(lsn), _numbers(owner))


def _numbers(values: pa.Array) -> Numbers:
    return np.asarray(values.to_numpy(zero_copy_only=False))
