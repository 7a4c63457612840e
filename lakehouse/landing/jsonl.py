"""JSON lines as Airbyte's S3 destination writes them, flattened or not, gzipped or not."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, cast

SUFFIXES = (".jsonl", ".jsonl.gz")
DATA = "_airbyte_data"
ENVELOPE = (
    "_airbyte_raw_id",
    "_airbyte_extracted_at",
    "_airbyte_generation_id",
    "_airbyte_meta",
)
"""What Airbyte puts around every row."""

Record = dict[str, Any]


@dataclass(frozen=True)
class Line:
    """One line: its number in the file, its bytes, and what it says or why that is unknown."""

    number: int
    original: bytes
    record: Record | None
    broken: str | None


def lines(file: IO[bytes]) -> Iterator[Line]:
    """Every line of an open file but blank ones; one that is no record comes with its reason."""
    for number, original in enumerate(file, start=1):
        stripped = original.rstrip(b"\r\n")
        if not stripped.strip():
            continue
        try:
            yield Line(number, stripped, record(stripped.decode("utf8")), None)
        except ValueError as error:
            yield Line(number, stripped, None, f"unreadable: {error}".splitlines()[0])
        except RecursionError:
            yield Line(number, stripped, None, "unreadable: nested too deeply")


def opened(content: Path | bytes, *, packed: bool) -> IO[bytes]:
    """The lines of a file or of its bytes, unpacked when they are gzipped."""
    file = content.open("rb") if isinstance(content, Path) else io.BytesIO(content)
    return cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if packed else file


def record(text: str) -> Record:
    """What a line says, the row's own columns beside Airbyte's; ValueError if that is nothing."""
    found = json.loads(text, parse_float=Decimal, object_pairs_hook=_unique)
    if not isinstance(found, dict):
        raise ValueError("no JSON object")
    row = found.pop(DATA, {})
    if not isinstance(row, dict):
        raise ValueError(f"{DATA} is no JSON object")
    both = sorted(found.keys() & row.keys())
    if both:
        raise ValueError(f"{', '.join(both)} is there twice")
    return found | row


def _unique(pairs: list[tuple[str, Any]]) -> Record:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice} is there twice")
    return dict(pairs)
