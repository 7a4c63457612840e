"""Values of COPY's binary rows as Arrow arrays: one numpy pass a column, no object a value.

A row is the count of its fields, then of each field its length (-1 for null) and its bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from lakehouse.cdc.columns import Messages, Numbers, Tuples
from lakehouse.cdc.protocol import EPOCH_US

Decode = Callable[[Tuples, int], pa.Array]

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

_TEXTS = {25, 114, 1042, 1043}
"""text, json, char(n) and varchar: their binary form is their text."""
_NUMBERS = {
    20: (pa.int64(), ">i8"),
    21: (pa.int16(), ">i2"),
    23: (pa.int32(), ">i4"),
    700: (pa.float32(), ">f4"),
    701: (pa.float64(), ">f8"),
}
_BOOL, _DATE, _NUMERIC = 16, 1082, 1700
_TIMESTAMPS = {1114: pa.timestamp("us"), 1184: pa.timestamp("us", "UTC")}
_DAY_US = 86_400_000_000
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
"""Years 1 to 9999, counted from 1970: the dates that are dates by the change log's texts too."""
_GROUPS = 4
"""A numeric is sent in groups of four digits; this many of them are read at once."""
_EACH_SECOND = 0x0000_FFFF_0000_FFFF
_NEGATIVE, _NO_NUMBER = 0x4000, 0x8000


class MisfitError(Exception):
    """A value that its Arrow type cannot hold, as NaN in a numeric or an infinite date."""


def rows(payloads: Sequence[bytes], width: int) -> Tuples:
    """Where each value of so many columns is; a payload is a row, as COPY sends one."""
    messages = Messages(payloads)
    starts, lengths = [], []
    at = messages.starts + 2
    for _ in range(width):
        length = messages.numbers(">i4", at)
        at = at + 4
        starts.append(at)
        lengths.append(length)
        at = at + np.maximum(length, 0)
    assert np.array_equal(at[:-1], messages.starts[1:]), "a row ends where the next one begins"
    return Tuples(messages, starts, lengths, [], at)


def decoder(oid: int, to: pa.DataType) -> Decode | None:
    """How a PostgreSQL type's binary form becomes that Arrow type; None if its text is needed."""
    if oid in _TEXTS and pa.types.is_string(to):
        return Tuples.texts
    if oid in _NUMBERS and _NUMBERS[oid][0] == to:
        return _numbers(*_NUMBERS[oid])
    if oid == _BOOL and pa.types.is_boolean(to):
        return _booleans
    if oid == _DATE and pa.types.is_date32(to):
        epoch = EPOCH_US // _DAY_US
        return _times(to, ">i4", epoch, _FIRST_DAY, _LAST_DAY)
    if _TIMESTAMPS.get(oid) == to:
        first, behind = _FIRST_DAY * _DAY_US, (_LAST_DAY + 1) * _DAY_US
        return _times(to, ">i8", EPOCH_US, first, behind - 1)
    if oid == _NUMERIC and pa.types.is_decimal128(to):
        in_front, behind = _groups(to.precision - to.scale), _groups(to.scale)
        return _decimals(to, behind) if in_front + behind <= _GROUPS else None
    return None


def _numbers(to: pa.DataType, kind: str) -> Decode:
    def decode(rows: Tuples, column: int) -> pa.Array:
        values, missing = rows.numbers(column, kind)
        return pa.array(values, to, mask=missing, from_pandas=False)

    return decode


def _booleans(rows: Tuples, column: int) -> pa.Array:
    values, missing = rows.numbers(column, "u1")
    return pa.array(values != 0, mask=missing)


def _times(to: pa.DataType, kind: str, epoch: int, first: int, last: int) -> Decode:
    def decode(rows: Tuples, column: int) -> pa.Array:
        values, missing = rows.numbers(column, kind)
        # Compared before the epoch is added, which an infinite one would not survive.
        if len(values) and not first - epoch <= values.min() <= values.max() <= last - epoch:
            raise MisfitError
        return pa.array(values + epoch, to, mask=missing)

    return decode


def _groups(digits: int) -> int:
    return -(-digits // 4)


def _decimals(to: pa.DataType, behind_point: int) -> Decode:
    """Digits in the base of 10,000, from the first that is not zero to the last."""
    surplus = np.uint64(10 ** (4 * behind_point - to.scale))
    # Without a digit the value is zero, whatever it is multiplied by.
    powers = np.append(10_000 ** np.arange(_GROUPS + 1, dtype=np.uint64), np.uint64(0))

    def decode(rows: Tuples, column: int) -> pa.Array:
        head, missing = rows.numbers(column, ">u8")  # count, weight, sign, scale
        count = head >> 48
        if np.bitwise_or.reduce(head) & _NO_NUMBER << 16 or count.max() > _GROUPS:
            raise MisfitError
        groups, _ = rows.numbers(column, ">u8", 8)
        groups >>= 16 * (_GROUPS - count)  # those that are this value's
        pairs = (groups >> 16 & _EACH_SECOND) * 10_000 + (groups & _EACH_SECOND)
        value = (pairs >> 32) * 100_000_000 + (pairs & 0xFFFF_FFFF)
        weight = (head >> 32).astype(np.int16)
        value *= powers[behind_point + 1 + weight - count.astype(np.int16)]
        value //= surplus
        signed = value.view(np.int64)
        np.negative(signed, out=signed, where=(head & _NEGATIVE << 16).astype(bool))
        return _decimal_array(signed, missing, to)

    return decode


def _decimal_array(values: Numbers, missing: Numbers | None, to: pa.DataType) -> pa.Array:
    halves = np.stack((values, values >> 63), axis=1)  # of 128 bits, the lower one first
    valid = None
    if missing is not None:
        valid = pa.py_buffer(np.packbits(~missing, bitorder="little"))
    return pa.Array.from_buffers(to, len(values), [valid, pa.py_buffer(halves)])
