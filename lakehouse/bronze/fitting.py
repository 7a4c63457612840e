"""Delivered values in the type that bronze stores, exactly, or the reason why they cannot be.

Types are compared here, because deltalake makes a silent 1 of a 1.5 on its way into a bigint.
Everything is computed by column; only what does not fit is looked at value by value.
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.bronze import canonical_json
from lakehouse.bronze.types import LOCAL_TIME, UTC_TIME, Type, integer_for, known

FIRST_DAY, LAST_DAY = -719_162, 2_932_896
"""0001-01-01 and 9999-12-31 as days since 1970: no engine here agrees beyond them."""
MICROSECONDS = 86_400_000_000
EXACT_DIGITS = 15
"""A double tells so many digits of a decimal apart; of more, several decimals are one double."""
HEX = re.compile(r"\\x((?:[0-9a-fA-F]{2})*)")


@dataclass(frozen=True)
class Fitted:
    """A column as bronze stores it, null where it does not fit, and why it does not."""

    values: pa.Array
    misfits: tuple[tuple[pa.Array, str], ...] = ()
    """Where (a mask), and why."""
    wider: Type | None = None
    """The type that would hold every value, when only a wider one does."""


def fitted(kind: Type, values: pa.Array) -> Fitted:
    """The values of one of the types that `kind` may be landed in, or an earlier narrower one."""
    if kind.kind in ("smallint", "integer", "bigint"):
        return _integers(kind, values)
    if kind.kind == "decimal":
        return _decimals(kind, values)
    if kind.kind == "varchar":
        return _varchar(kind, values)
    if kind.kind in ("date", "timestamp", "timestamptz"):
        return _dated(kind, values)
    if kind.kind == "real":
        return _reals(values)
    if kind.kind in _TEXTS or (kind.kind == "bytes" and pa.types.is_string(values.type)):
        return _each(kind, values)
    return Fitted(values if values.type == kind.stored else pc.cast(values, kind.stored))


def _integers(kind: Type, values: pa.Array) -> Fitted:
    if values.type == kind.stored:
        return Fitted(values)
    span = pc.min_max(values).as_py()
    if span["min"] is not None:
        needed = integer_for(span["min"], span["max"])
        if needed.stored.bit_width > kind.stored.bit_width:
            return Fitted(pa.nulls(len(values), kind.stored), wider=needed)
    return Fitted(pc.cast(values, kind.stored))


def _varchar(kind: Type, values: pa.Array) -> Fitted:
    longest = pc.max(pc.utf8_length(values)).as_py() or 0
    wider = known(f"varchar({longest})") if longest > (kind.length or 0) else None
    return Fitted(values, wider=wider)


def _dated(kind: Type, values: pa.Array) -> Fitted:
    first, end = FIRST_DAY, LAST_DAY + 1
    if kind.kind == "date":
        numbers = values.view(pa.int32())
    else:
        if values.type == LOCAL_TIME:
            values = values.view(UTC_TIME)
        numbers = values.cast(UTC_TIME).view(pa.int64())
        values = numbers.view(UTC_TIME)
        first, end = first * MICROSECONDS, end * MICROSECONDS
    span = pc.min_max(numbers).as_py()
    if span["min"] is None or (first <= span["min"] and span["max"] < end):
        return Fitted(values)
    outside = pc.or_(pc.less(numbers, first), pc.greater_equal(numbers, end))
    return _without(values, outside, "is outside the years 0001 to 9999")


def _decimals(kind: Type, values: pa.Array) -> Fitted:
    if not pa.types.is_floating(values.type):
        return Fitted(values if values.type == kind.stored else pc.cast(values, kind.stored))
    precision, scale = kind.stored.precision, kind.stored.scale
    given = pc.is_valid(values).to_numpy(zero_copy_only=False)
    doubles = values.to_numpy(zero_copy_only=False)
    with np.errstate(all="ignore"):
        units = np.rint(doubles * 10.0**scale)
        infinite = given & ~np.isfinite(doubles)
        ambiguous = given & ~infinite & (np.abs(units) >= 10.0**EXACT_DIGITS)
        # Both are exact, so the quotient is the double nearest to the decimal.
        inexact = given & ~infinite & ~ambiguous & (units / 10.0**scale != doubles)
        too_great = given & ~infinite & ~ambiguous & ~inexact & (np.abs(units) >= 10.0**precision)
    bad = infinite | ambiguous | inexact | too_great
    reasons = (
        (infinite, "is not a finite number"),
        (ambiguous, f"has more than {EXACT_DIGITS} digits, which a double cannot tell apart"),
        (inexact, f"has more than {scale} decimals"),
        (too_great, f"has more than {precision} digits"),
    )
    whole = np.where(given & ~bad, units, 0).astype(np.int64)
    found = tuple((pa.array(mask), why) for mask, why in reasons if mask.any())
    return Fitted(_decimal_array(whole, given & ~bad, kind.stored), found)


def _decimal_array(units: np.ndarray, valid: np.ndarray, kind: pa.DataType) -> pa.Array:
    """Decimals out of their unscaled integers: two 64-bit words each, the low one first."""
    words = np.stack([units, units >> 63], axis=1)
    bits = np.packbits(valid, bitorder="little")
    buffers = [pa.py_buffer(bits.tobytes()), pa.py_buffer(words.tobytes())]
    return pa.Array.from_buffers(kind, len(units), buffers)


def _reals(values: pa.Array) -> Fitted:
    """Floats out of doubles that say the same, or that were printed and read on their way."""
    if values.type == pa.float32():
        return Fitted(values)
    doubles = values.to_numpy(zero_copy_only=False)
    with np.errstate(all="ignore"):
        floats = doubles.astype(np.float32)
    differs = (floats.astype(np.float64) != doubles) & ~np.isnan(doubles)
    for place in np.flatnonzero(differs):
        differs[place] = float(str(floats[place])) != doubles[place]
    array = pa.array(floats, mask=pc.is_null(values).to_numpy(zero_copy_only=False))
    return _without(array, pa.array(differs), "has more digits than a real holds")


def _each(kind: Type, values: pa.Array) -> Fitted:
    """Texts that have one canonical form each."""
    if pa.types.is_time(values.type):
        values = pc.cast(values, pa.string())
    convert = _TEXTS.get(kind.kind, bytes_of)
    done: list[str | bytes | None] = []
    bad: list[bool] = []
    for value in values.to_pylist():
        try:
            done.append(None if value is None else convert(value))
            bad.append(False)
        except ValueError:
            done.append(None)
            bad.append(True)
    return _without(pa.array(done, kind.stored), pa.array(bad, pa.bool_()), f"is no {kind.kind}")


def _without(values: pa.Array, bad: pa.Array, why: str) -> Fitted:
    if not pc.any(bad).as_py():
        return Fitted(values)
    return Fitted(pc.if_else(bad, pa.scalar(None, values.type), values), ((bad, why),))


def _time(text: str) -> str:
    return time.fromisoformat(text).isoformat(timespec="microseconds")


def _uuid(text: str) -> str:
    return str(uuid.UUID(text))


def bytes_of(text: str) -> bytes:
    """Bytes as PostgreSQL and Airbyte write them, or as the quarantine does."""
    if found := HEX.fullmatch(text):
        return bytes.fromhex(found[1])
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(text) from error


_TEXTS: dict[str, Callable[[str], str | bytes]] = {
    "time": _time,
    "uuid": _uuid,
    "json": canonical_json.text,
}
