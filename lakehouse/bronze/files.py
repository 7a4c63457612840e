"""Landing files: what each is by its content, and its rows, read and judged piece by piece."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.bronze import records
from lakehouse.bronze.parts import BYTES_AT_A_TIME, parquet, rows_at_a_time
from lakehouse.bronze.payloads import payloads
from lakehouse.bronze.rows import NeedsEvolutionError, Stamp, fit, judge, stamped
from lakehouse.bronze.shape import Shape
from lakehouse.errors import LakehouseError
from lakehouse.landing import jsonl
from lakehouse.landing.jsonl import Line
from lakehouse.settings import Settings

LINES_AT_A_TIME = 16_384
REFUSED_AT_A_TIME = 4_096
UNREADABLE = (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, OSError, EOFError)
NOT_THE_CONTENT = {
    getattr(errno, name)
    for name in ("EIO", "EACCES", "EPERM", "ENOENT", "ENOMEM", "EMFILE", "ENFILE", "ESTALE")
}
"""What the machine could not do; of the content, Arrow and gzip say OSError as well."""


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
class Refused:
    """A row that bronze cannot take: as JSON, or its bytes when they are none."""

    row: int
    reason: str
    payload: str | None
    original: bytes | None = None


@dataclass(frozen=True)
class Piece:
    """Some rows of a file: what bronze takes, and what it cannot."""

    rows: pa.RecordBatch | None
    refused: Iterable[Refused] = field(default_factory=tuple)


class UnreadableError(Exception):
    """A file that is not what its name says, or ends in the middle."""


def identified(settings: Settings, path: Path) -> File:
    """Read a file once to know which one it is."""
    try:
        # Before it is read: growth while it is read must show later.
        state = path.stat()
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unread(path, error) from error
    return File(
        name=str(path.relative_to(settings.landing_uri)),
        path=path,
        sha256=sha256,
        size=state.st_size,
        changed_ns=state.st_mtime_ns,
    )


def pieces(shape: Shape, file: File, stamp: Stamp, schema: pa.Schema) -> Iterator[Piece]:
    """Every row of a file, each once; UnreadableError when it cannot be read to its end."""
    try:
        yield from pieces_of(shape, file.name, file.path, stamp, schema)
    finally:
        # Also before calling it unreadable: what grows while it is read is not broken.
        assert_unchanged(file)


def pieces_of(
    shape: Shape, name: str, content: Path | bytes, stamp: Stamp, schema: pa.Schema
) -> Iterator[Piece]:
    """The rows of content that was landed under this name."""
    read = _of_lines if name.endswith(jsonl.SUFFIXES) else _of_parquet
    try:
        yield from read(shape, name, content, stamp, schema)
    except UNREADABLE as error:
        if isinstance(error, OSError) and error.errno in NOT_THE_CONTENT:
            raise _unread(name, error) from error
        why = (str(error).strip() or repr(error)).splitlines()[0]
        raise UnreadableError(f"unreadable: {why}") from error


def _unread(name: Path | str, error: OSError) -> LakehouseError:
    return LakehouseError(
        f"the landing file {name} cannot be read: {error.strerror}",
        hint="make it readable, or move it away, and run `lakehouse bronze load` again",
    )


def _of_parquet(
    shape: Shape, _: str, content: Path | bytes, stamp: Stamp, schema: pa.Schema
) -> Iterator[Piece]:
    source = content if isinstance(content, Path) else pa.py_buffer(content)
    with parquet(source) as opened:
        how = fit(shape, opened.schema_arrow)
        if how.misfit is None and how.needed:
            raise NeedsEvolutionError(how.needed)
        first = 1
        for batch in opened.iter_batches(rows_at_a_time(opened.metadata)):
            batch.validate(full=True)
            numbers = pa.arange(first, first + batch.num_rows)
            first += batch.num_rows
            if how.misfit:
                reasons = pa.repeat(how.misfit, batch.num_rows)
                yield Piece(None, _refused(batch, numbers, reasons))
            else:
                judged = judge(shape, batch)
                rows = stamped(judged, batch, numbers, stamp, schema)
                yield Piece(rows, _refused(batch, numbers, judged.reasons))


def _refused(
    batch: pa.RecordBatch, numbers: pa.Array, reasons: pa.Array | None
) -> Iterator[Refused]:
    """The rows with a reason, some at a time: as Python objects they are fifty times as large."""
    if reasons is None:
        return
    places = pc.indices_nonzero(pc.is_valid(reasons))
    for first in range(0, len(places), REFUSED_AT_A_TIME):
        some = places.slice(first, REFUSED_AT_A_TIME)
        rows = numbers.take(some).to_pylist()
        why = reasons.take(some).to_pylist()
        for row, reason, payload in zip(rows, why, payloads(batch.take(some)), strict=True):
            yield Refused(row, reason, payload)


def _of_lines(
    shape: Shape, name: str, content: Path | bytes, stamp: Stamp, schema: pa.Schema
) -> Iterator[Piece]:
    with jsonl.opened(content, packed=name.endswith(".gz")) as opened:
        waiting: list[Line] = []
        size = 0
        for line in jsonl.lines(opened):
            waiting.append(line)
            size += len(line.original)
            if len(waiting) >= LINES_AT_A_TIME or size >= BYTES_AT_A_TIME:
                yield lines_judged(shape, waiting, stamp, schema)
                waiting, size = [], 0
        if waiting:
            yield lines_judged(shape, waiting, stamp, schema)


def lines_judged(shape: Shape, lines: Sequence[Line], stamp: Stamp, schema: pa.Schema) -> Piece:
    """Some lines: rows of those that are taken, and the others as they came."""
    refused = [Refused(one.number, one.broken, None, one.original) for one in lines if one.broken]
    good = [line for line in lines if line.record is not None]
    if not good:
        return Piece(None, refused)
    batch, faults = records.batch(shape, [line.record or {} for line in good])
    judged = judge(shape, batch, faults)
    numbers = pa.array([line.number for line in good], pa.int64())
    if judged.reasons is not None:
        refused += [
            Refused(line.number, reason, line.original.decode("utf8"))
            for line, reason in zip(good, judged.reasons.to_pylist(), strict=True)
            if reason is not None
        ]
    return Piece(stamped(judged, batch, numbers, stamp, schema), refused)


def assert_unchanged(file: File) -> None:
    """Refuse to commit what is not what was identified: files here never change."""
    state = file.path.stat()
    if (state.st_size, state.st_mtime_ns) != (file.size, file.changed_ns):
        raise LakehouseError(
            f"the landing file {file.path} changed while it was read",
            hint="nothing of it was taken; run `lakehouse bronze load` once it is complete",
        )
