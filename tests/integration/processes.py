"""The processes of an embedded server, for tests that kill them."""

from __future__ import annotations

from pathlib import Path

from lakehouse.erp import postgres
from lakehouse.settings import Settings


def processes(settings: Settings) -> list[int]:
    """The postmaster and all its children."""
    postmaster = postgres._postmaster(settings.postgres_home / "data")
    found = [postmaster] if postmaster else []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text("utf8").rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == postmaster:
            found.append(int(stat.parent.name))
    return found
