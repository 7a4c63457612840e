"""Rows as JSON, without a digit lost: what the quarantine keeps of a row of Arrow."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def payloads(batch: pa.RecordBatch) -> Iterator[str]:
    """Each row as JSON; of columns that share a name the later ones are numbered."""
    names = batch.schema.names
    unique = [
        name if name not in names[:place] else f"{name}#{names[:place].count(name) + 1}"
        for place, name in enumerate(names)
    ]
    columns = [_printable(column) for column in batch.columns]
    for values in zip(*columns, strict=True):
        yield json.dumps(dict(zip(unique, values, strict=True)), ensure_ascii=False)


def _printable(values: pa.Array) -> list[Any]:
    """Values as JSON can hold them without losing a digit."""
    if pa.types.is_decimal(values.type) or pa.types.is_temporal(values.type):
        # Python has neither nanoseconds nor the year 10000.
        values = pc.cast(values, pa.string())
    return [_plain(value) for value in values.to_pylist()]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return str(value)
