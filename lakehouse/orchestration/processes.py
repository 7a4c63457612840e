"""Child processes that we can find, end and be outlived by: each leads a session of its own."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from lakehouse.settings import PROJECT

PR_SET_PDEATHSIG = 1
END_TIMEOUT_S = 60.0

Child = subprocess.Popen[bytes]


def spawn(command: Sequence[str], log: Path) -> Child:
    """Start a child that appends to `log`; should we be killed, the kernel tells it to end."""
    libc = ctypes.CDLL(None)
    end_with_us = partial(libc.prctl, PR_SET_PDEATHSIG, signal.SIGTERM)
    with log.open("ab") as out:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=PROJECT,
            start_new_session=True,
            preexec_fn=end_with_us if sys.platform == "linux" else None,
        )


@contextmanager
def until_stopped() -> Iterator[None]:
    """A block that Ctrl-C or SIGTERM ends; neither is an error."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)


def end(child: Child) -> None:
    """Ask a child and its group to end, and kill what is left of its session after a minute."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)
    deadline = time.monotonic() + END_TIMEOUT_S
    while _session(child.pid) and time.monotonic() < deadline:
        child.poll()
        time.sleep(0.05)
    for pid in _session(child.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    child.wait()


def _session(leader: int) -> list[int]:
    """The processes of a session: a group is not enough, since each task has a group of its own."""
    members = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(ProcessLookupError):
            if os.getsid(int(folder.name)) == leader:
                members.append(int(folder.name))
    return members
