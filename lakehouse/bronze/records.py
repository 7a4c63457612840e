"""Rows that come as JSON, by column in Arrow: the types of a contract, or why a value has none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from lakehouse.bronze import canonical_json
from lakehouse.bronze.fitting import EXACT_DIGITS, bytes_of
from lakehouse.bronze.position import EXACT_IN_DOUBLE, LANDED_OPTIONAL
from lakehouse.bronze.rows import NAME, OTHERS_OWN, TOAST, NeedsEvolutionError
from lakehouse.bronze.shape import Shape
from lakehouse.bronze.types import UTC_TIME, Type, known
from lakehouse.landing.jsonl import Record

Fault = tuple[pa.Array, str]
Faults = list[Fault]
MARKER = re.compile(TOAST)
INT64 = range(-(2**63), 2**63)
FINER = re.compile(r"[.,]\d{6}0*[1-9]")
NUMBERS = {"nan": "nan", "NaN": "nan", "inf": "inf", "Infinity": "inf", "-inf": "-inf"}
NUMBERS |= {"-Infinity": "-inf"}


def batch(shape: Shape, rows: Sequence[Record]) -> tuple[pa.RecordBatch, Faults]:
    """Records as the columns that a file of Parquet would have, and what is wrong with them."""
    names = dict.fromkeys(name for row in rows for name in row)
    faults = list(_unknown(shape, names, rows))
    arrays: dict[str, pa.Array] = {}
    changes = shape.contract.delivers == "changes"
    unchanged: list[str] = ["|"] * len(rows)
    marks = changes and "_cdc_op" not in names
    for own in shape.own:
        values = [row.get(own.name) for row in rows]
        if own.name not in names and not own.optional:
            faults.append((pa.repeat(True, len(rows)), f"column {own.name} is missing"))
        if marks and own.name not in shape.contract.key:
            for place, value in enumerate(values):
                if isinstance(value, str) and MARKER.search(value):
                    values[place] = None
                    unchanged[place] += f"{own.name}|"
        arrays[own.name], found = column(own.name, own.kind, values)
        faults += found
    technical = _TECHNICAL | (_CHANGES if changes else {})
    for name, (kind, convert) in technical.items():
        if name in names or name not in LANDED_OPTIONAL:
            arrays[name], found = _technical(name, kind, convert, rows)
            faults += found
    if any(marked != "|" for marked in unchanged):
        arrays["_cdc_unchanged"] = pa.array([m if m != "|" else None for m in unchanged])
    lost = pa.array([_was_changed(row) for row in rows], pa.bool_())
    faults.append((lost, "Airbyte could not write one of its values (_airbyte_meta.changes)"))
    return pa.RecordBatch.from_pydict(arrays), faults


def _unknown(shape: Shape, names: Iterable[str], rows: Sequence[Record]) -> Iterator[Fault]:
    """Columns that nobody knows: new ones of the table, unless a column cannot be named so."""
    known = {column.name for column in shape.own} | _TECHNICAL.keys() | _CHANGES.keys()
    needed: dict[str, Type] = {}
    for name in names:
        if name in known or name.startswith(OTHERS_OWN):
            continue
        if NAME.fullmatch(name) is None:
            mask = pa.array([name in row for row in rows])
            yield mask, f"column {name} is not in the contract"
        elif kind := guessed([row.get(name) for row in rows]):
            needed[name] = kind
    if needed:
        raise NeedsEvolutionError(needed)


def _technical(
    name: str, kind: pa.DataType, convert: Callable[[Any], Any], rows: Sequence[Record]
) -> tuple[pa.Array, Faults]:
    done: list[Any] = []
    bad: list[bool] = []
    for row in rows:
        value = row.get(name)
        try:
            done.append(None if value is None else convert(value))
            bad.append(False)
        except (ValueError, ArithmeticError):
            done.append(None)
            bad.append(True)
    return pa.array(done, kind), [(pa.array(bad), f"{name} is not what Airbyte writes")]


def _was_changed(row: Record) -> bool:
    meta = row.get("_airbyte_meta")
    return isinstance(meta, dict) and bool(meta.get("changes"))


def column(name: str, kind: Type, values: Sequence[Any]) -> tuple[pa.Array, Faults]:
    """The values in a type that `kind` may be landed in; a fault for each kind of bad value."""
    convert = _CONVERTS[kind.kind]
    done: list[Any] = []
    bad: dict[str, list[bool]] = {}
    for place, value in enumerate(values):
        try:
            done.append(None if value is None else convert(kind, value))
        except (ValueError, ArithmeticError) as error:
            done.append(None)
            bad.setdefault(str(error), [False] * len(values))[place] = True
    array = pa.array(done, _landed(kind))
    return array, [(pa.array(mask), f"{name} {why}") for why, mask in bad.items()]


def guessed(values: Sequence[Any]) -> Type | None:
    """The type of a column that no contract speaks of; None while it holds nothing but null."""
    found = {_guess(value) for value in values if value is not None}
    if found == {"bigint", "double"}:
        return known("double")
    return known(found.pop() if len(found) == 1 else "json") if found else None


def instant(value: Any) -> datetime:
    """Airbyte's own times: milliseconds since 1970, as a number or its digits, or ISO-8601."""
    if isinstance(value, str) and not value.lstrip("-").isdigit():
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("is no time with a zone")
        return moment.astimezone(UTC)
    return datetime.fromtimestamp(_integer(None, value) / 1000, UTC)


def integer(value: Any) -> int:
    """A number of Airbyte's own, as a number or its digits."""
    return _integer(None, int(value) if isinstance(value, str) else value)


def _guess(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "bigint" if value in INT64 else "json"
    if isinstance(value, Decimal | float):
        return "double"
    return "text" if isinstance(value, str) else "json"


def _landed(kind: Type) -> pa.DataType:
    """Canonical forms are made of texts, narrow numbers of wide ones: by the one way, `fitting`."""
    if kind.kind in ("smallint", "integer"):
        return pa.int64()
    if kind.kind == "real":
        return pa.float64()
    return kind.stored


def _text(_: Type, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("is no text")
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise ValueError("holds half a character")
    return value


def _integer(_: Type | None, value: Any) -> int:
    if isinstance(value, Decimal) and abs(value) < EXACT_IN_DOUBLE and value == int(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("is no integer")
    if value not in INT64:
        raise ValueError("is beyond a bigint")
    return int(value)


def _boolean(_: Type, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is no boolean")
    return value


def _date(kind: Type, value: Any) -> date:
    try:
        return date.fromisoformat(_text(kind, value))
    except ValueError:
        raise ValueError("is no date of the years 0001 to 9999") from None


def _timestamp(kind: Type, value: Any) -> datetime:
    try:
        if FINER.search(_text(kind, value)):
            raise ValueError(value)  # Python would cut it off
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None and kind.kind == "timestamp":
            return moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC) if moment.tzinfo else instant(value)
    except (ValueError, OverflowError):
        raise ValueError("is no timestamp of the years 0001 to 9999, to the microsecond") from None


def _double(_: Type, value: Any) -> float:
    if isinstance(value, str) and value in NUMBERS:
        return float(NUMBERS[value])
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("is no number")
    return float(value)


def _decimal(kind: Type, value: Any) -> Decimal:
    """A decimal: as exact as it is when it is text, and no more exact than a double else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError("is no number")
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        raise ValueError("is no number") from None
    if not number.is_finite():
        raise ValueError("is not a finite number")
    _, digits, exponent = number.normalize().as_tuple()
    precision, scale = kind.stored.precision, kind.stored.scale
    if -int(exponent) > scale:
        raise ValueError(f"has more than {scale} decimals")
    if not isinstance(value, str) and len(digits) > EXACT_DIGITS:
        raise ValueError(f"has more than {EXACT_DIGITS} digits, which a double cannot tell apart")
    if number and number.adjusted() >= precision - scale:
        raise ValueError(f"has more than {precision} digits")
    return number


def _bytes(kind: Type, value: Any) -> bytes:
    try:
        return bytes_of(_text(kind, value))
    except ValueError:
        raise ValueError("is no bytes") from None


def _json(_: Type, value: Any) -> str:
    if isinstance(value, str):
        try:
            return canonical_json.text(value)
        except ValueError:
            pass
    return canonical_json.written(value)


_CONVERTS: dict[str, Callable[[Type, Any], Any]] = {
    "text": _text,
    "varchar": _text,
    "uuid": _text,
    "time": _text,
    "smallint": _integer,
    "integer": _integer,
    "bigint": _integer,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,
    "timestamptz": _timestamp,
    "real": _double,
    "double": _double,
    "decimal": _decimal,
    "bytes": _bytes,
    "json": _json,
}


def _plain_text(value: Any) -> str:
    return _text(known("text"), value)


_TECHNICAL: dict[str, tuple[pa.DataType, Callable[[Any], Any]]] = {
    "_airbyte_extracted_at": (UTC_TIME, instant),
}
_CHANGES: dict[str, tuple[pa.DataType, Callable[[Any], Any]]] = {
    "_airbyte_generation_id": (pa.int64(), integer),
    "_ab_cdc_lsn": (pa.int64(), integer),
    "_ab_cdc_updated_at": (pa.string(), _plain_text),
    "_ab_cdc_deleted_at": (pa.string(), _plain_text),
    "_cdc_commit_lsn": (pa.int64(), integer),
    "_cdc_op": (pa.string(), _plain_text),
    "_cdc_unchanged": (pa.string(), _plain_text),
}
