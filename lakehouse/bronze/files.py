"""Landing files: what each is by its content, what of it bronze can take, read piece by piece."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lakehouse.bronze.contract import Contract
from lakehouse.bronze.rows import Stamp, misfit, refusals, to_bronze
from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings

ROWS_AT_A_TIME = 65_536
REFUSED_AT_A_TIME = 4_096
"""Refused rows become Python objects, fifty times as large."""
UNREADABLE = (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, OSError)


@dataclass(frozen=True)
class File:
    """A landing file; the hash of its content says which one it is, whatever its name."""

    name: str
    """Path relative to the landing zone."""
    path: Path
    sha256: str
    size: int
    changed_ns: int


@dataclass(frozen=True)
class Examined:
    """What reading a file through has shown, before anything of it is written."""

    file: File
    rows: int
    refused: int
    misfit: str | None
    unreadable: str | None

    @property
    def is_refused(self) -> bool:
        return self.refused > 0 or self.unreadable is not None

    @property
    def accepted(self) -> int:
        return self.rows - self.refused


def identified(settings: Settings, path: Path) -> File:
    """Read a file once to know which one it is."""
    try:
        # Before it is read: growth while it is read must show later.
        state = path.stat()
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise LakehouseError(
            f"the landing file {path} cannot be read: {error.strerror}",
            hint="make it readable, or move it away, and run `lakehouse bronze load` again",
        ) from error
    return File(
        name=str(path.relative_to(settings.landing_uri)),
        path=path,
        sha256=sha256,
        size=state.st_size,
        changed_ns=state.st_mtime_ns,
    )


def examine(contract: Contract, file: File) -> Examined:
    """Read a file to its end, so that nothing of it can surprise the commit."""
    rows = refused = 0
    try:
        with pq.ParquetFile(file.path) as parquet:
            reason = misfit(contract, parquet.schema_arrow)
            for batch in parquet.iter_batches(ROWS_AT_A_TIME):
                batch.validate(full=True)
                rows += batch.num_rows
                accepted = 0 if reason else refusals(contract, batch).null_count
                refused += batch.num_rows - accepted
    except UNREADABLE as error:
        why = (str(error).strip() or repr(error)).splitlines()[0]
        return Examined(file, rows=0, refused=0, misfit=None, unreadable=f"unreadable: {why}")
    return Examined(file, rows=rows, refused=refused, misfit=reason, unreadable=None)


def accepted(contract: Contract, one: Examined, stamp: Stamp) -> Iterator[pa.RecordBatch]:
    """The bronze rows of a file."""
    if one.accepted == 0:
        return
    for batch, numbers in _numbered(one.file, ROWS_AT_A_TIME):
        if one.refused:
            good = pc.is_null(refusals(contract, batch))
            batch, numbers = batch.filter(good), numbers.filter(good)
        yield to_bronze(contract, batch, numbers, stamp)


def refused(
    contract: Contract, one: Examined
) -> Iterator[tuple[pa.RecordBatch, pa.Array, pa.Array]]:
    """The refused rows of a file, the number of each in the file, and why."""
    for batch, numbers in _numbered(one.file, REFUSED_AT_A_TIME):
        if one.misfit:
            yield batch, numbers, pa.repeat(one.misfit, batch.num_rows)
        else:
            reasons = refusals(contract, batch)
            bad = pc.is_valid(reasons)
            yield batch.filter(bad), numbers.filter(bad), reasons.filter(bad)


def assert_unchanged(file: File) -> None:
    """Refuse to commit what is not what was identified: files here never change."""
    state = file.path.stat()
    if (state.st_size, state.st_mtime_ns) != (file.size, file.changed_ns):
        raise _changed(file)


def _numbered(file: File, rows_at_a_time: int) -> Iterator[tuple[pa.RecordBatch, pa.Array]]:
    first = 1
    try:
        with pq.ParquetFile(file.path) as parquet:
            for batch in parquet.iter_batches(rows_at_a_time):
                yield batch, pa.arange(first, first + batch.num_rows)
                first += batch.num_rows
    except UNREADABLE as error:
        raise _changed(file) from error
    assert_unchanged(file)


def _changed(file: File) -> LakehouseError:
    return LakehouseError(
        f"the landing file {file.path} changed while it was read",
        hint="nothing of it was taken; run `lakehouse bronze load` once it is complete",
    )
