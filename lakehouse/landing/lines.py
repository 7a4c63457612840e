"""Rows delivered as JSON lines, the other format of Airbyte's S3 destination."""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from lakehouse.landing import files
from lakehouse.landing.jsonl import DATA
from lakehouse.landing.layout import Delivery
from lakehouse.settings import Settings


def write_lines(
    settings: Settings,
    source: str,
    entity: str,
    rows: Iterable[Mapping[str, Any]],
    delivery: Delivery,
    *,
    flattened: bool = True,
    packed: bool = True,
) -> None:
    """Deliver rows as one file, whole and durable or not at all."""
    with files.delivered(settings, source, entity, "jsonl.gz" if packed else "jsonl") as out:
        lines = (_line(row, delivery, flattened=flattened) for row in rows)
        if packed:
            with gzip.GzipFile(fileobj=out, mode="wb") as into:
                into.writelines(lines)
        else:
            out.writelines(lines)


def _line(row: Mapping[str, Any], delivery: Delivery, *, flattened: bool) -> bytes:
    envelope = {
        "_airbyte_raw_id": str(uuid.uuid4()),
        "_airbyte_extracted_at": int(datetime.now(UTC).timestamp() * 1000),
        "_airbyte_meta": {"sync_id": delivery.sync_id, "changes": []},
        "_airbyte_generation_id": delivery.generation,
    }
    whole = {**envelope, **row} if flattened else {**envelope, DATA: dict(row)}
    return (json.dumps(whole, ensure_ascii=False, default=_plain) + "\n").encode()


def _plain(value: Any) -> Any:
    """What JSON has no word for: a decimal stays exact as its text."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
