"""JSON as one text for one meaning: keys in order, no blanks, every digit of a number kept."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any


def text(document: str) -> str:
    """The canonical form of a JSON document; ValueError when it is none."""
    return written(json.loads(document, parse_float=Decimal, parse_constant=_no_number))


def written(value: Any) -> str:
    """The canonical form of what JSON was read into."""
    if isinstance(value, dict):
        parts = (f"{written(name)}:{written(value[name])}" for name in sorted(value))
        return f"{{{','.join(parts)}}}"
    if isinstance(value, list):
        return f"[{','.join(map(written, value))}]"
    if isinstance(value, Decimal):
        return format(value, "f")
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")
