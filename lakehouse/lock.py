"""One lock a lake: one process at a time writes it, and a second one learns who holds it."""

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


@contextmanager
def lake_lock(settings: Settings, holder: str) -> Iterator[None]:
    """Hold the lake for as long as the block runs; the kernel lets go if we die."""
    path = settings.home / "lake.lock"
    make_home(settings)
    with path.open("a+", encoding="utf8") as file:
        if not _acquired(file):
            raise RefusedError(
                f"the lake {settings.home} is held by {_holder(path)}",
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


def holder(settings: Settings) -> str | None:
    """Who holds the lake now; None if nobody does."""
    path = settings.home / "lake.lock"
    if not path.exists():
        return None
    with path.open("a+", encoding="utf8") as file:
        return None if _acquired(file, tries=1) else _holder(path)


def _acquired(file: IO[str], tries: int = 5) -> bool:
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
