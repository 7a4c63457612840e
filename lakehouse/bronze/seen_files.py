"""Landing files that a table holds for sure, so that a load need not read them again to know.

A help and no truth: the truth are the transaction ids of the table. It lies in the table's folder
and dies with it, and it is believed only while the last commit that it speaks of is in the log.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from lakehouse.bronze.files import File

NAME = "_landed.jsonl"
Identity = tuple[str, int, int]
"""Path, size and time of change: files of a landing zone never change, new ones have new names."""


class SeenFiles:
    """The names that a table's last loads have seen committed."""

    def __init__(self, table: Path) -> None:
        self._table = table
        self._path = table / NAME
        self._seen = self._read()

    def __contains__(self, path: Path) -> bool:
        state = path.stat()
        return (str(path), state.st_size, state.st_mtime_ns) in self._seen

    def add(self, version: int, files: Iterable[File]) -> None:
        """Remember files that a commit up to this version holds."""
        lines = [
            json.dumps([version, str(file.path), file.size, file.changed_ns]) + "\n"
            for file in files
        ]
        if lines:
            with self._path.open("a", encoding="utf8") as out:
                out.write("".join(lines))

    def _read(self) -> set[Identity]:
        """What is remembered; nothing when it cannot be, or may not be, believed."""
        try:
            rows = [json.loads(line) for line in self._path.read_text("utf8").splitlines()]
            seen = {(str(path), int(size), int(changed)) for _, path, size, changed in rows}
            last = max((int(version) for version, *_ in rows), default=0)
        except FileNotFoundError:
            return set()
        except (OSError, ValueError, TypeError):
            seen, last = set(), -1
        if not (self._table / "_delta_log" / f"{last:020d}.json").exists():
            self._path.unlink(missing_ok=True)
            return set()
        return seen
