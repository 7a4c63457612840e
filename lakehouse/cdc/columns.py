"""Rows of messages as Arrow columns: one numpy pass a column, no object a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from lakehouse.cdc.protocol import TEXT, UNCHANGED
from lakehouse.errors import LakehouseError

Numbers = np.ndarray[Any, np.dtype[Any]]
_ABSENT = -4  # a value that is not there takes one byte; one that is, five and its length
_PADDING = bytes(16)
_ASCII = 128
_MOST_BYTES = 2**31 - 1  # so that an offset takes four bytes


class Messages:
    """Many messages in one buffer, and numbers read out of it wherever they stand."""

    def __init__(self, payloads: Sequence[bytes]) -> None:
        data = b"".join([*payloads, _PADDING])  # reading past the last value stays inside
        if len(data) > _MOST_BYTES:
            raise LakehouseError(
                f"rows of the ERP that lie together have {len(data) >> 20} MB of values",
                hint="no more than 2 GB of them can be read at once: take their table, or what is "
                "so long in it, out of the publication",
            )
        ends = np.cumsum(np.fromiter(map(len, payloads), np.int64, len(payloads)))
        self.starts: Numbers = np.concatenate(([0], ends[:-1]))
        self.buffer = pa.py_buffer(data)
        self.bytes: Numbers = np.frombuffer(data, np.uint8)
        self._data = data

    @cached_property
    def kinds(self) -> Numbers:
        """The first byte of each."""
        return self.bytes[self.starts]

    def __getitem__(self, number: int) -> bytes:
        end = self.starts[number + 1] if number + 1 < len(self.starts) else len(self._data)
        return self._data[self.starts[number] : end]

    def numbers(self, kind: str, at: Numbers) -> Numbers:
        """The number of this kind that begins at each of these places."""
        dtype = np.dtype(kind)
        count = len(self._data) - dtype.itemsize + 1
        everywhere = np.ndarray((count,), dtype, self._data, strides=(1,))
        return everywhere[at].astype(dtype.newbyteorder("="))

    def u32(self, at: Numbers) -> Numbers:
        return self.numbers(">u4", at).astype(np.int64)

    def i64(self, at: Numbers) -> Numbers:
        return self.numbers(">i8", at)


@dataclass(frozen=True)
class Tuples:
    """Rows of one table: for each column, where each value starts, how long and of what kind."""

    messages: Messages
    starts: list[Numbers]
    lengths: list[Numbers]
    kinds: list[Numbers]
    end: Numbers
    """Where each row ends."""

    def texts(self, column: int) -> pa.Array:
        """A column's values as PostgreSQL wrote them."""
        starts, lengths = self.starts[column], self.lengths[column]
        count = len(starts)
        # As a list of every value and of what lies between them; of these, each second one.
        offsets = np.empty(2 * count + 1, np.int32)
        offsets[0:-1:2] = starts
        offsets[1::2] = starts + np.maximum(lengths, 0)
        offsets[-1] = offsets[-2] if count else 0
        everything = pa.Array.from_buffers(
            pa.binary(), 2 * count, [None, pa.py_buffer(offsets), self.messages.buffer]
        )
        missing = lengths < 0
        wanted = np.arange(0, 2 * count, 2, dtype=np.int32)
        chosen = pa.array(wanted, mask=missing if missing.any() else None)
        return _as_text(everything.take(chosen))

    def numbers(self, column: int, kind: str, behind: int = 0) -> tuple[Numbers, Numbers | None]:
        """The number that each value has at this place, 0 where there is none; and where that is.

        A value may end before the number does: the rest is of no meaning.
        """
        values = self.messages.numbers(kind, self.starts[column] + behind)
        missing = self.lengths[column] < 0
        if not missing.any():
            return values, None
        values[missing] = 0
        return values, missing

    def unchanged(self, column: int) -> Numbers:
        """Where the server did not send a long value again."""
        return np.asarray(self.kinds[column] == UNCHANGED)

    def borrow(self, column: int, other: Tuples, where: Numbers) -> None:
        """Take the value of another version of the same row."""
        for own, others in (
            (self.starts, other.starts),
            (self.lengths, other.lengths),
            (self.kinds, other.kinds),
        ):
            own[column] = np.where(where, others[column], own[column])


def _as_text(values: pa.Array) -> pa.Array:
    """The same values as text: what is all ASCII need not be looked at one by one."""
    validity, offsets, content = values.buffers()
    if content is not None and content.size and np.frombuffer(content, np.uint8).max() < _ASCII:
        buffers = [validity, offsets, content]
        return pa.Array.from_buffers(pa.string(), len(values), buffers, values.null_count)
    return values.cast(pa.string())  # which sees to it that it is UTF-8


def tuples(messages: Messages, at: Numbers, columns: int) -> Tuples:
    """The rows whose number of columns stands at these places."""
    starts, lengths, kinds = [], [], []
    at = at + 2
    for _ in range(columns):
        kind = messages.bytes[at]
        length = messages.u32(at + 1)
        is_text = kind == TEXT
        if not is_text.all():
            length = np.where(is_text, length, _ABSENT)
        starts.append(at + 5)
        lengths.append(length)
        kinds.append(kind)
        at = at + 5 + length
    return Tuples(messages, starts, lengths, kinds, at)


def chosen(rows: Tuples, which: Numbers) -> Tuples:
    """Some of the rows."""
    return Tuples(
        rows.messages,
        [column[which] for column in rows.starts],
        [column[which] for column in rows.lengths],
        [column[which] for column in rows.kinds],
        rows.end[which],
    )
