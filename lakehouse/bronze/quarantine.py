"""Rows and files that bronze cannot take, each kept with its reason: nothing delivered is lost."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.bronze import files, tables
from lakehouse.bronze.contract import Contract
from lakehouse.bronze.files import Examined
from lakehouse.bronze.rows import UTC_TIME
from lakehouse.bronze.tables import Layout, Table
from lakehouse.settings import Settings

SCHEMA = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("entity", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("source_file", pa.string(), nullable=False),
        pa.field("source_sha256", pa.string(), nullable=False),
        pa.field("source_row", pa.int64()),
        pa.field("payload", pa.string()),
        pa.field("original", pa.binary()),
        pa.field("_loaded_at", UTC_TIME, nullable=False),
    ]
)
DESCRIPTION = (
    "What bronze could not take. One row per refused row, its values as JSON in payload,"
    " or per unreadable file, its bytes in original."
)
LAYOUT = Layout(
    schema=SCHEMA,
    description=DESCRIPTION,
    partition_by=(),
    bounded=("source", "entity", "source_sha256"),
    configuration={},
)


def opened(settings: Settings) -> Table:
    """The quarantine as it is now, made empty if it is not there yet."""
    return tables.opened(f"{settings.bronze_uri}/_quarantine", LAYOUT)


def keep(
    settings: Settings, contract: Contract, examined: Iterable[Examined], loaded_at: datetime
) -> None:
    """Commit what is refused of these files, but of no file twice."""
    table = opened(settings)
    new = [one for one in examined if one.is_refused and not table.has(_id(contract, one))]
    if new:
        rows = (batch for one in new for batch in _refused(contract, one, loaded_at))
        table.append(rows, {_id(contract, one): 1 for one in new}, partition={})


def _id(contract: Contract, one: Examined) -> str:
    # The same bytes may be delivered for two entities: an empty file is.
    return f"{contract.name}/{one.file.sha256}"


def _refused(contract: Contract, one: Examined, loaded_at: datetime) -> Iterator[pa.RecordBatch]:
    common = {
        "source": contract.source,
        "entity": contract.entity,
        "source_file": one.file.name,
        "source_sha256": one.file.sha256,
        "_loaded_at": loaded_at,
    }
    if one.unreadable is not None:
        whole = {"reason": one.unreadable, "original": one.file.path.read_bytes()}
        files.assert_unchanged(one.file)
        yield pa.RecordBatch.from_pylist([common | whole], SCHEMA)
        return
    for batch, numbers, reasons in files.refused(contract, one):
        kept = zip(numbers.to_pylist(), reasons.to_pylist(), _payloads(batch), strict=True)
        rows = [
            common | {"source_row": number, "reason": reason, "payload": payload}
            for number, reason, payload in kept
        ]
        yield pa.RecordBatch.from_pylist(rows, SCHEMA)


def _payloads(batch: pa.RecordBatch) -> Iterator[str]:
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
