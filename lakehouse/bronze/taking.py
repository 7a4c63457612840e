"""One landing file on its way: what bronze takes of it and what it refuses, in one reading."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa

from lakehouse.bronze.files import File, Piece, UnreadableError, pieces
from lakehouse.bronze.parts import Parts
from lakehouse.bronze.quarantine import Keeping
from lakehouse.bronze.rows import Stamp
from lakehouse.bronze.shape import Shape

SMALL_BYTES = 4 << 20
"""A file up to this size is held whole before any of it is written."""


@dataclass(frozen=True)
class Taken:
    """What became of the rows of some files."""

    rows: int = 0
    refused: int = 0
    unreadable: int = 0

    def __add__(self, other: Taken) -> Taken:
        return Taken(
            self.rows + other.rows,
            self.refused + other.refused,
            self.unreadable + other.unreadable,
        )


def take(
    shape: Shape, file: File, stamp: Stamp, schema: pa.Schema, parts: Parts, kept: Keeping
) -> Taken:
    """Write a file's rows to parts, and what is refused of it to the quarantine.

    Where a file turns out to be unreadable in its middle, nothing of it may stay in a part.
    """
    read = pieces(shape, file, stamp, schema)
    is_small = file.size <= SMALL_BYTES
    refusals = kept.of(file, is_small=is_small)
    if refusals.is_whole:
        return Taken(unreadable=1)
    part = parts.shared() if is_small else parts.own()
    rows = 0
    try:
        held = _held(read) if is_small else _ahead(read)
        for piece in held:
            if piece.rows is not None:
                fitting = refusals.left(piece.rows)
                part.write(fitting)
                rows += fitting.num_rows
            refusals.write(piece.refused)
    except UnreadableError as error:
        if not is_small:
            parts.forget(part)
        refusals.forget()
        kept.whole(file, str(error))
        return Taken(unreadable=1)
    return Taken(rows, refusals.done())


def _held(read: Iterator[Piece]) -> list[Piece]:
    """Everything of a small file, so that it is readable to its end before it is written."""
    return [Piece(piece.rows, list(piece.refused)) for piece in read]


def _ahead(read: Iterator[Piece]) -> Iterator[Piece]:
    """The same pieces, each of them read while the one before it is written."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, read, None)
        while (piece := coming.result()) is not None:
            coming = reader.submit(next, read, None)
            yield piece
