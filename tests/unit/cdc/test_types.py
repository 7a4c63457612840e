"""PostgreSQL's types and texts in Arrow."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from lakehouse.cdc.types import Types, typed


def numeric(precision: int, scale: int) -> int:
    return (precision << 16 | scale & 0x7FF) + 4


@pytest.mark.parametrize(
    ("oid", "modifier", "text", "value"),
    [
        (16, -1, "t", True),
        (16, -1, "f", False),
        (20, -1, "-9223372036854775808", -(2**63)),
        (25, -1, "", ""),
        (1043, 14, " 010825", " 010825"),
        (1082, -1, "2024-02-29", date(2024, 2, 29)),
        (1184, -1, "2024-10-01 12:00:00.1+00", datetime(2024, 10, 1, 12, 0, 0, 100_000, UTC)),
        (1184, -1, "0001-01-01 00:00:00+00", datetime(1, 1, 1, tzinfo=UTC)),
        (1700, numeric(12, 2), "-0.01", Decimal("-0.01")),
        (1700, numeric(38, 38), "0." + "9" * 38, Decimal("0." + "9" * 38)),
        (1700, -1, "1.2300", "1.2300"),  # no scale: only text keeps it
        (1700, numeric(39, 2), "1.00", "1.00"),  # more digits than Arrow's
        (1700, numeric(5, -2), "12300", "12300"),
        (2950, -1, "a0ee", "a0ee"),
    ],
)
def test_a_value_keeps_its_type_or_else_its_text(
    oid: int, modifier: int, text: str, value: Any
) -> None:
    found, misfits = typed(pa.array([text, None]), Types().arrow(oid, modifier))
    assert misfits is None
    assert found.to_pylist() == [value, None]
    assert found.type == Types().arrow(oid, modifier)


@pytest.mark.parametrize(
    ("oid", "modifier", "text"),
    [
        (1700, numeric(12, 2), "NaN"),
        (1184, -1, "infinity"),
        (1184, -1, "0044-03-15 00:00:00+00 BC"),
        (1184, -1, "10000-01-01 00:00:00+00"),
        (1082, -1, "infinity"),
    ],
)
def test_a_value_without_a_place_is_pointed_at_and_never_just_null(
    oid: int, modifier: int, text: str
) -> None:
    good = {1700: "1.50", 1184: "2024-10-01 12:00:00+00", 1082: "2024-10-01"}[oid]
    values, misfits = typed(pa.array([good, text, None, good, text]), Types().arrow(oid, modifier))
    assert misfits is not None
    assert misfits.tolist() == [False, True, False, False, True]
    assert values.is_valid().to_pylist() == [True, False, False, True, False]


def test_a_domain_is_what_lies_beneath_it() -> None:
    types = Types({20_001: (20_000, -1), 20_000: (1700, numeric(12, 2))}, frozenset({20_000}))
    assert types.arrow(20_001, -1) == pa.decimal128(12, 2)
    assert types.knows(20_000)
    assert not types.knows(20_002)
    assert types.knows(1700)
