"""The types of a contract: how bronze stores each, and what a delivery may bring for it.

Delta has no type for a time of day, a UUID or JSON: these are text in one canonical form. A
timestamp without a zone is stored as if it were UTC, which is also how Airbyte delivers it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

import pyarrow as pa

UTC_TIME = pa.timestamp("us", "UTC")
LOCAL_TIME = pa.timestamp("us")
MOST_DIGITS = 38
_TEXT = pa.string()
_MILLISECONDS = pa.timestamp("ms", "UTC")
_INTEGERS = (pa.int16(), pa.int32(), pa.int64())

# What bronze stores, and what else than that may be delivered: Airbyte knows one integer, one
# floating number, and text.
_PLAIN: dict[str, tuple[pa.DataType, tuple[pa.DataType, ...]]] = {
    "text": (_TEXT, ()),
    "smallint": (pa.int16(), _INTEGERS),
    "integer": (pa.int32(), _INTEGERS[1:]),
    "bigint": (pa.int64(), ()),
    "boolean": (pa.bool_(), ()),
    "date": (pa.date32(), ()),
    "time": (_TEXT, (pa.time64("us"),)),
    "timestamp": (UTC_TIME, (LOCAL_TIME, _MILLISECONDS)),
    "timestamptz": (UTC_TIME, (_MILLISECONDS,)),
    "real": (pa.float32(), (pa.float64(),)),
    "double": (pa.float64(), ()),
    "bytes": (pa.binary(), (_TEXT,)),
    "uuid": (_TEXT, ()),
    "json": (_TEXT, ()),
}
_OF_ARROW = {
    _TEXT: "text",
    pa.int16(): "smallint",
    pa.int32(): "integer",
    pa.int64(): "bigint",
    pa.bool_(): "boolean",
    pa.date32(): "date",
    pa.time64("us"): "time",
    LOCAL_TIME: "timestamp",
    UTC_TIME: "timestamptz",
    pa.float32(): "real",
    pa.float64(): "double",
    pa.binary(): "bytes",
}
_DECIMAL = re.compile(r"decimal\((-?\d+), ?(-?\d+)\)")
_VARCHAR = re.compile(r"varchar\((\d+)\)")
_WIDER_INTEGERS = ("smallint", "integer", "bigint")


@dataclass(frozen=True)
class Type:
    """One type of a contract."""

    name: str
    stored: pa.DataType
    landed: tuple[pa.DataType, ...]
    """What a Parquet file may bring for it, without anything being lost."""
    length: int | None = None
    """The most characters of a varchar."""

    @property
    def kind(self) -> str:
        return self.name.partition("(")[0]


@cache
def known(name: str) -> Type:
    """The type of this name, or ValueError that names the nearest one."""
    if name in _PLAIN:
        stored, others = _PLAIN[name]
        return Type(name, stored, (stored, *(kind for kind in others if kind != stored)))
    if varchar := _VARCHAR.fullmatch(name):
        if int(varchar[1]) == 0:
            raise ValueError(f"{name!r}: at least one character")
        return Type(name, _TEXT, (_TEXT,), length=int(varchar[1]))
    if decimal := _DECIMAL.fullmatch(name):
        precision, scale = int(decimal[1]), int(decimal[2])
        if not 0 <= scale <= precision <= MOST_DIGITS or precision == 0:
            raise ValueError(
                f"{name!r}: 1 to {MOST_DIGITS} digits, the scale no more than these, nor negative"
            )
        stored = pa.decimal128(precision, scale)
        return Type(f"decimal({precision},{scale})", stored, (stored, pa.float64()))
    words = [*_PLAIN, "decimal(12,2)", "varchar(40)"]
    raise ValueError(f"{name!r} is no type{nearest(name, words)}: {', '.join(words)}")


def of_arrow(kind: pa.DataType) -> Type | None:
    """The type of a column that no contract speaks of, by what was delivered."""
    if pa.types.is_decimal128(kind) and 0 <= kind.scale <= kind.precision:
        return known(f"decimal({kind.precision},{kind.scale})")
    name = _OF_ARROW.get(kind)
    return known(name) if name else None


def holds(wide: Type, narrow: Type) -> bool:
    """Whether every value of the narrow type is one of the wide type, unchanged."""
    if wide.name == narrow.name:
        return True
    if wide.kind in _WIDER_INTEGERS and narrow.kind in _WIDER_INTEGERS:
        return _WIDER_INTEGERS.index(wide.kind) > _WIDER_INTEGERS.index(narrow.kind)
    if (wide.kind, narrow.kind) == ("double", "real"):
        return True
    if wide.kind == narrow.kind == "decimal":
        more = wide.stored.scale - narrow.stored.scale
        return bool(0 <= more <= wide.stored.precision - narrow.stored.precision)
    if narrow.kind == "varchar":
        return wide.kind == "text" or (wide.length or 0) >= (narrow.length or 0)
    return False


def integer_for(least: int, greatest: int) -> Type:
    """The narrowest integer that holds both numbers."""
    for name, bits in zip(_WIDER_INTEGERS, (15, 31, 63), strict=True):
        if -(2**bits) <= least and greatest < 2**bits:
            return known(name)
    raise ValueError(f"no integer holds {least} to {greatest}")


def nearest(word: str, words: list[str]) -> str:
    """A question after the word that was meant, empty when there is none like it."""
    near = get_close_matches(word, words, n=1)
    return f", did you mean {near[0]!r}?" if near else ""
