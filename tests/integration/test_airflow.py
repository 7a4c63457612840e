"""Airflow's processes: on loopback only, once a lake, and gone without a trace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from lakehouse.erp import postgres
from lakehouse.errors import LakehouseError, RefusedError
from lakehouse.orchestration import airflow
from lakehouse.orchestration.airflow_home import Airflow
from lakehouse.settings import Settings, export
from tests.fixtures.lakes import temporary_lake
from tests.integration.airflow_api import until

pytestmark = [pytest.mark.server, pytest.mark.scheduler, pytest.mark.xdist_group("airflow")]

SERVE = """
from lakehouse import settings
from lakehouse.orchestration import airflow
airflow.serve(settings.load(), lambda up: print(up.url, flush=True))
"""


def sessions(parent: int) -> set[int]:
    """The Airflow components that a process has started: each leads a session."""
    leaders = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            pid, rest = int(status.parent.name), status.read_text("utf8").rpartition(")")[2].split()
            title = (status.parent / "cmdline").read_bytes()
            if int(rest[1]) == parent and int(rest[3]) == pid and b"airflow" in title:
                leaders.add(pid)
    return leaders


def members(leaders: set[int]) -> set[int]:
    """All living processes of these sessions."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.getsid(int(folder.name)) in leaders:
                found.add(int(folder.name))
    return found


def are_gone(leaders: set[int]) -> bool:
    return not members(leaders)


def listening(pids: set[int]) -> list[str]:
    """The addresses that processes listen on, as the kernel writes them: 0100007F is loopback."""
    sockets = set()
    for pid in pids:
        with suppress(OSError):
            sockets |= {str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()}
    rows = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{name}").read_text("utf8").splitlines()[1:]
    ]
    return sorted({r[1] for r in rows if r[3] == "0A" and f"socket:[{r[9]}]" in sockets})


@pytest.fixture(scope="module")
def shared_lake() -> Iterator[Settings]:
    """The lake of the Airflow that most of these tests share."""
    with temporary_lake() as settings:
        postgres.up(settings)
        yield settings


@pytest.fixture(scope="module")
def alive(shared_lake: Settings) -> Iterator[Callable[[], Airflow]]:
    with airflow.running(shared_lake) as says_so:
        yield says_so


@pytest.fixture
def up(alive: Callable[[], Airflow]) -> Airflow:
    return alive()


def is_healthy(alive: Callable[[], Airflow], since: datetime) -> bool:
    """Whether the scheduler and the DAG processor have given a sign of life since then."""
    beats = airflow.heartbeats(alive())
    return all(beat is not None and beat > since for beat in beats)


def test_it_listens_on_loopback_only(up: Airflow) -> None:
    addresses = listening(members(sessions(os.getpid())))
    assert addresses == [f"0100007F:{up.port:04X}"]


def test_a_second_airflow_of_the_lake_is_refused(shared_lake: Settings, up: Airflow) -> None:
    with pytest.raises(RefusedError, match=f"process {os.getpid()}"):
        airflow.prepare(shared_lake)
    assert up.configuration.exists()


def test_it_comes_back_with_its_server(shared_lake: Settings, alive: Callable[[], Airflow]) -> None:
    before = sessions(os.getpid())
    postgres.down(shared_lake)
    until(lambda: sessions(os.getpid()) < before, 120)  # one at least has ended
    alive()
    postgres.up(shared_lake)
    since = datetime.now(UTC)
    until(lambda: is_healthy(alive, since), 120)
    assert len(sessions(os.getpid())) == len(airflow.COMPONENTS)


def test_what_ends_again_and_again_is_told(
    up: Airflow, alive: Callable[[], Airflow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(airflow, "MOST_REVIVED", 0)
    for leader in sessions(os.getpid()):
        os.kill(leader, signal.SIGKILL)
    with pytest.raises(LakehouseError, match="ended by itself"):
        until(lambda: not alive(), 30)
    assert up.configuration.exists()


def test_killed_or_stopped_it_leaves_no_process(server_lake: Settings) -> None:
    for how, status in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 0)):
        serving = subprocess.Popen(
            [sys.executable, "-c", SERVE],
            env={**os.environ, **export(server_lake)},
            stdout=subprocess.PIPE,
        )
        assert serving.stdout is not None
        assert serving.stdout.readline().startswith(b"http://127.0.0.1:")
        leaders = sessions(serving.pid)
        assert len(leaders) == len(airflow.COMPONENTS)
        serving.send_signal(how)
        assert serving.wait(120) == status
        until(partial(are_gone, leaders), 60)
