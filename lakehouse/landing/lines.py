"""Rows delivered as JSON lines, the other format of Airbyte's S3 destination."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from lakehouse.errors import LakehouseError
from lakehouse.landing.files import sync_folder
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
) -> Path:
    """Deliver rows as one file, whole and durable or not at all; says where it lies."""
    folder = Path(settings.landing_uri) / source / entity
    unfinished = folder / f".{uuid.uuid4().hex}.unfinished"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with unfinished.open("xb") as out:
            lines = (_line(row, delivery, flattened=flattened) for row in rows)
            if packed:
                with gzip.GzipFile(fileobj=out, mode="wb") as into:
                    into.writelines(lines)
            else:
                out.writelines(lines)
            out.flush()
            os.fsync(out.fileno())
        return _published(unfinished, "jsonl.gz" if packed else "jsonl")
    except OSError as error:
        raise LakehouseError(
            f"a landing file of {source}/{entity} could not be written: {error.strerror or error}",
            hint=f"make room and rights in {folder}, then run the same command again",
        ) from error
    finally:
        with suppress(OSError):
            unfinished.unlink()


def _published(unfinished: Path, suffix: str) -> Path:
    now = datetime.now(UTC)
    stem = f"{now:%Y_%m_%d}_{int(now.timestamp() * 1000)}"
    for part in itertools.count():
        path = unfinished.with_name(f"{stem}_{part}.{suffix}")
        # A link, because a rename would replace what another writer put there meanwhile.
        with suppress(FileExistsError):
            path.hardlink_to(unfinished)
            sync_folder(path.parent)
            return path
    raise AssertionError("there is always one more part")


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
