"""Two locks a lake: one process at a time writes it, and one reads the ERP's change log.

A second one learns who holds it.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from lakehouse.errors import LakehouseError, RefusedError
from lakehouse.settings import Settings


class LockHeldError(RefusedError):
    """Another process holds a lock that this one needs."""


LAKE, READER = "lake.lock", "cdc.lock"


@contextmanager
def lake_lock(settings: Settings, holder: str) -> Iterator[None]:
    """Hold the lake for as long as the block runs; the kernel lets go if we die."""
    with _lock(settings, LAKE, f"the lake {settings.home}", holder):
        yield


@contextmanager
def reader_lock(settings: Settings, holder: str) -> Iterator[None]:
    """Be the one reader of the ERP's change log, beside whoever holds the lake."""
    with _lock(settings, READER, f"the change log's reader of {settings.home}", holder):
        yield


@contextmanager
def _lock(settings: Settings, name: str, what: str, holder: str) -> Iterator[None]:
    path = settings.home / name
    make_home(settings)
    with path.open("a+", encoding="utf8") as file:
        if not acquired(file):
            raise LockHeldError(
                f"{what} is held by {_holder(path)}",
                hint="wait until it has ended, or stop it, then run the same command again",
            )
        since = datetime.now(UTC).isoformat(timespec="seconds")
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "holder": holder, "since": since}))
        file.flush()
        yield


def make_home(settings: Settings) -> None:
    """Create the lake's folder, private to its owner."""
    try:
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(settings.home, os.W_OK | os.X_OK):
            raise PermissionError(13, os.strerror(13), str(settings.home))
        probe = settings.home / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise LakehouseError(
            f"the lake's folder {settings.home} cannot be written: {error.strerror}",
            hint="make it writable, or set LAKEHOUSE_HOME to a folder that is",
        ) from error


def holder(settings: Settings, name: str = LAKE) -> str | None:
    """Who holds the lake (or is its reader) now; None if nobody does."""
    path = settings.home / name
    if not path.exists():
        return None
    with path.open("a+", encoding="utf8") as file:
        return None if acquired(file, tries=1) else _holder(path)


def acquired(file: IO[str], tries: int = 5) -> bool:
    """Try for a moment: `status` holds the lock for an instant when it looks who has it."""
    for _ in range(tries):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.1)
        else:
            return True
    return False


def _holder(path: Path) -> str:
    try:
        held = json.loads(path.read_text("utf8"))
        return f"`{held['holder']}`, process {held['pid']}, since {held['since']}"
    except (ValueError, KeyError):
        return "another process that has just started"
