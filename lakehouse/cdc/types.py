"""PostgreSQL's types and texts in Arrow: exact, or else the text that PostgreSQL writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
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
_FIRST_OWN_OID = 16_384
"""Below are the types that every server has."""


@dataclass(frozen=True)
class Types:
    """The types that the ERP made for itself."""

    domains: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    """A domain's type beneath, and that type's modifier."""
    known: frozenset[int] = frozenset()

    def knows(self, oid: int) -> bool:
        return oid < _FIRST_OWN_OID or oid in self.known

    def arrow(self, oid: int, modifier: int) -> pa.DataType:
        """The Arrow type of a column; text where Arrow has none that holds each value exactly."""
        while oid in self.domains:
            oid, modifier = self.domains[oid]
        if oid != _NUMERIC or modifier < 4:
            return _EXACT.get(oid, pa.string())
        precision = (modifier - 4) >> 16 & 0xFFFF
        scale = ((modifier - 4 & 0x7FF) ^ 0x400) - 0x400  # eleven bits with a sign
        if precision > _MAX_PRECISION or not 0 <= scale <= precision:
            return pa.string()
        return pa.decimal128(precision, scale)


def typed(texts: pa.Array, to: pa.DataType) -> tuple[pa.Array, np.ndarray | None]:
    """Values out of PostgreSQL's texts (ISO dates, UTC), and where a text is none of the type.

    A `numeric(12, 2)` may be NaN and a date infinite or before Christ, which Arrow cannot say.
    """
    try:
        return _cast(texts, to), None
    except pa.ArrowInvalid:
        misfits = np.zeros(len(texts), bool)
        _find_misfits(texts, to, 0, misfits)
        nothing = pa.scalar(None, texts.type)
        return _cast(pc.if_else(pa.array(misfits), nothing, texts), to), misfits


def _find_misfits(texts: pa.Array, to: pa.DataType, first: int, misfits: np.ndarray) -> None:
    """Mark what cannot be cast, halving what holds some until it is found."""
    try:
        _cast(texts, to)
    except pa.ArrowInvalid:
        if len(texts) == 1:
            misfits[first] = True
            return
        half = len(texts) // 2
        _find_misfits(texts[:half], to, first, misfits)
        _find_misfits(texts[half:], to, first + half, misfits)


def _cast(texts: pa.Array, to: pa.DataType) -> pa.Array:
    if texts.type == to:
        return texts
    return pc.equal(texts, "t") if pa.types.is_boolean(to) else texts.cast(to)
