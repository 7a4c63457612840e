"""Runs one task in a process of its own, and says how long it took and how much memory it held."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from lakehouse import settings as lakehouse_settings
from lakehouse.erp import postgres
from lakehouse.settings import PROJECT, Settings, export

PEERS = PROJECT / ".venv" / "bench" / "bin" / "python"
"""The interpreter of the peers' environment; `make bench` makes it."""
ROUNDS = 3


@dataclass(frozen=True)
class Measured:
    """One task: the seconds of its work without its start, what it handled, its greatest memory."""

    seconds: float
    rows: int
    peak_mb: float


@dataclass(frozen=True)
class Result:
    """One line of the table: our figure, the peer's, and how they compare."""

    what: str
    against: str
    ours: str
    theirs: str
    ratio: float | None
    reach: str
    is_met: bool


class TaskFailedError(Exception):
    """A task that ended badly: its figure would mean nothing."""


def run(
    task: Sequence[str],
    *,
    interpreter: str = sys.executable,
    env: Mapping[str, str] | None = None,
) -> Measured:
    """Run `python task…`, which prints one line of JSON with its seconds and rows."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            [interpreter, *task],
            stdout=out,
            stderr=err,
            env=os.environ | dict(env or {}),
            cwd=PROJECT,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        said = err.read().decode("utf8", "replace")
        if process.returncode != 0:
            raise TaskFailedError(
                f"{' '.join(task)} ended with {process.returncode}: {said[-2000:]}"
            )
        # A peer's own chatter may stand before and behind it.
        lines = [line for line in out.read().splitlines() if line.startswith(b'{"seconds"')]
        answer = json.loads(lines[-1])
    return Measured(answer["seconds"], answer["rows"], usage.ru_maxrss / 1024)


def ours(lake: Settings, *task: str) -> Measured:
    """Run one of `bench.tasks` on a lake."""
    return run(["-m", "bench.tasks", *task], env=export(lake))


def alternately(*tasks: Callable[[], Measured], rounds: int = ROUNDS) -> list[list[Measured]]:
    """Run the tasks in turn, several times: what disturbs the machine disturbs them all."""
    found: list[list[Measured]] = [[] for _ in tasks]
    for _ in range(rounds):
        for measured, task in zip(found, tasks, strict=True):
            measured.append(task())
    return found


def rate(measured: Sequence[Measured]) -> float:
    """Rows a second, in the middle of the rounds."""
    return median(one.rows / one.seconds for one in measured)


def compared(
    what: str, against: str, our: Sequence[Measured], their: Sequence[Measured], least: float
) -> Result:
    """Our rate as a multiple of the peer's, taken round by round."""
    ratio = median(
        (a.rows / a.seconds) / (b.rows / b.seconds) for a, b in zip(our, their, strict=True)
    )
    return Result(
        what,
        against,
        f"{rate(our):,.0f} rows/s",
        f"{rate(their):,.0f} rows/s",
        ratio,
        f"≥ {least:g}",
        ratio >= least,
    )


def below(what: str, value: float, unit: str, most: float) -> Result:
    """A figure of our own that has a ceiling and no peer."""
    return Result(what, "", f"{value:,.1f} {unit}", "", None, f"< {most:g} {unit}", value < most)


@contextmanager
def lake() -> Iterator[Settings]:
    """A lake in a temporary folder, with a server of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        settings = lakehouse_settings.load({"LAKEHOUSE_HOME": str(Path(folder) / "home")})
        postgres.up(settings)
        try:
            yield settings
        finally:
            postgres.down(settings)
