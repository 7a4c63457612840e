"""PostgreSQL's types in Arrow: exact, or else the text that PostgreSQL writes."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_NUMERIC = 1700
_EXACT = {
    16: pa.bool_(),
    20: pa.int64(),
    21: pa.int16(),
    23: pa.int32(),
    700: pa.float32(),
    701: pa.float64(),
    1082: pa.date32(),
    1114: pa.timestamp("us"),
    1184: pa.timestamp("us", "UTC"),
}
_MAX_PRECISION = 38


def arrow_type(oid: int, modifier: int) -> pa.DataType:
    """The Arrow type of a column; text where Arrow has none that holds each value exactly."""
    if oid != _NUMERIC or modifier < 4:
        return _EXACT.get(oid, pa.string())
    precision = (modifier - 4) >> 16 & 0xFFFF
    scale = ((modifier - 4 & 0x7FF) ^ 0x400) - 0x400  # eleven bits with a sign
    if precision > _MAX_PRECISION or not 0 <= scale <= precision:
        return pa.string()
    return pa.decimal128(precision, scale)


def from_text(values: pa.Array, to: pa.DataType) -> pa.Array:
    """Text as PostgreSQL writes it (ISO dates, UTC), in its own type; ArrowInvalid if it cannot."""
    return pc.equal(values, "t") if pa.types.is_boolean(to) else values.cast(to)
