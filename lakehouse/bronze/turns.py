"""One writer of a bronze table at a time, so that a slow one is not outrun for ever by a busy one.

Nothing depends on it for what is true: the commit still fails when another was first, and then is
tried again. But a replay, a widening or a compaction beside a follower would lose each time.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lakehouse.bronze import tables

_held = threading.local()


@contextmanager
def turn(uri: str) -> Iterator[None]:
    """Wait until nobody else writes the table; whoever has the turn already goes on with it."""
    held: set[str] = _held.__dict__.setdefault("uris", set())
    if uri in held:
        yield
        return
    table = Path(uri)
    with tables.writing(uri):
        table.parent.mkdir(parents=True, exist_ok=True)
        # Beside the table: its own folder is Delta's. The kernel lets go if we die.
        lock = os.open(table.parent / f".{table.name}.lock", os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        held.add(uri)
        yield
    finally:
        held.discard(uri)
        os.close(lock)
