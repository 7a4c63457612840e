"""Samples of tables: rows that meet every expectation, and changes that one of them must see.

A file a table, in SQL: `-- good`, then `-- bad_<why>: <expectation> of <subject>` as often as there
is something to break.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
HEAD = re.compile(r"^-- (good|bad_\w+)(?:: (\w+) of (.+))?$", re.MULTILINE)


@dataclass(frozen=True)
class Bad:
    """One thing broken in the good rows, and which expectation has to see it."""

    why: str
    expectation: str
    subject: str
    sql: str


@dataclass(frozen=True)
class Sample:
    """A table as its suite wants it, and how it can be wrong."""

    table: str
    good: str
    bad: tuple[Bad, ...]


def read(folder: str) -> dict[str, Sample]:
    """Every sample of `marts` or `bronze`, by table."""
    return {path.stem: _read(path) for path in sorted((FOLDER / folder).glob("*.sql"))}


def good_marts(*names: str) -> str:
    """SQL that makes good marts: these, or all."""
    samples = read("marts")
    return "\n".join(samples[name].good for name in names or samples)


def _read(path: Path) -> Sample:
    first, *rest = HEAD.split(path.read_text("utf8"))
    assert not first.strip(), f"{path.name} begins with {first!r}"
    parts = [rest[i : i + 4] for i in range(0, len(rest), 4)]
    (head, _, _, good), *bad = parts
    assert head == "good", path.name
    return Sample(path.stem, good, tuple(Bad(*part) for part in bad))
