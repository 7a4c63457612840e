"""Processes that tests kill: an embedded server's, and the one that runs the code under test."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lakehouse import lock
from lakehouse.erp import postgres
from lakehouse.settings import Settings
from tests.integration.airflow_api import until


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


def kill_whoever_holds(settings: Settings, holder: str) -> None:
    """Kill -9 the process that has the lake's lock, once it is the one that is meant."""
    until(lambda: holder in (lock.holder(settings) or ""), 120)
    text = (settings.home / "lake.lock").read_text("utf8")
    os.kill(json.loads(text)["pid"], signal.SIGKILL)


def die_before(module: Any, name: str, call: int = 1) -> None:
    """Kill this process in place of the given call of a function."""
    original: Callable[..., Any] = getattr(module, name)
    calls = iter(range(1, 1_000))

    def doomed(*args: Any, **kwargs: Any) -> Any:
        if next(calls) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*args, **kwargs)

    setattr(module, name, doomed)


def peak_mb() -> int:
    """This process's greatest memory; `ru_maxrss` would count what its parent had before it."""
    status = Path("/proc/self/status").read_text("utf8")
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024
