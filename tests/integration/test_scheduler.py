"""The daily DAG under a real Airflow: green, stopped by a refusal, and gone without a trace."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lakehouse import cdc, publish
from lakehouse import settings as lakehouse_settings
from lakehouse.erp import company, postgres
from lakehouse.errors import RefusedError
from lakehouse.orchestration import airflow, chain
from lakehouse.orchestration.airflow_home import Airflow
from lakehouse.settings import Settings, export
from tests.integration.thread import assert_serves_the_erp, change

# One worker: these tests share one lake and its Airflow, and go by its state.
pytestmark = [
    pytest.mark.server,
    pytest.mark.scheduler,
    pytest.mark.xdist_group("airflow"),
]

DAG = "/api/v2/dags/nova_corrente_daily"
TASKS = (*chain.STEPS, "notify")
RUN_TIMEOUT_S = 300.0
SERVE = """
from lakehouse import settings
from lakehouse.orchestration import airflow
airflow.serve(settings.load(), lambda up: print(up.url, flush=True))
"""


class Api:
    """Airflow's REST API, as its one user."""

    def __init__(self, up: Airflow) -> None:
        self.port = up.port
        self.token = ""
        password = json.loads(up.passwords.read_text("utf8"))["admin"]
        login = self.call("POST", "/auth/token", {"username": "admin", "password": password})
        self.token = login["access_token"]

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        connection.request(method, path, json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status >= 400:
            raise LookupError(f"{method} {path}: {answer.status} {text.decode()}")
        return dict(json.loads(text))

    def run(self) -> tuple[str, str, dict[str, tuple[str, int]]]:
        """Trigger the DAG and wait until it ends: the run's id and state, each task's state."""
        run_id = self.call("POST", f"{DAG}/dagRuns", {"logical_date": None})["dag_run_id"]
        until(lambda: self.state(run_id) in {"success", "failed"}, RUN_TIMEOUT_S)
        tasks = self.call("GET", f"{DAG}/dagRuns/{run_id}/taskInstances")["task_instances"]
        states = {
            task["task_id"].split(".")[0]: (task["state"], task["try_number"]) for task in tasks
        }
        return run_id, self.state(run_id), states

    def knows_the_dag(self) -> bool:
        try:
            return bool(self.call("GET", DAG)["dag_id"])
        except LookupError:
            return False

    def state(self, run_id: str) -> str:
        return str(self.call("GET", f"{DAG}/dagRuns/{run_id}")["state"])


def until(condition: Callable[[], bool], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.25)


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
def demo_lake() -> Iterator[Settings]:
    """A lake with a company that has lived some days, and a change log that is followed."""
    folder = Path(tempfile.mkdtemp(prefix="lake-"))
    settings = lakehouse_settings.load({"LAKEHOUSE_HOME": str(folder / "home")})
    postgres.up(settings)
    company.create(settings)
    cdc.sync(settings)
    company.advance(settings, days=5)
    yield settings
    postgres.down(settings)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def up(demo_lake: Settings) -> Iterator[Airflow]:
    with pytest.MonkeyPatch.context() as shell:
        # What somebody exported for another Airflow must not reach this one.
        shell.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "sqlite:////nowhere/airflow.db")
        with airflow.running(demo_lake) as alive:
            yield alive()


@pytest.fixture(scope="module")
def api(up: Airflow) -> Api:
    client = Api(up)
    until(client.knows_the_dag, 60)
    client.call("PATCH", DAG, {"is_paused": False})
    return client


def test_a_triggered_run_serves_the_erp(demo_lake: Settings, api: Api) -> None:
    run_id, state, tasks = api.run()

    assert state == "success"
    assert tasks == dict.fromkeys(TASKS, ("success", 1))
    steps = chain.last_run(demo_lake)
    assert [(row["step"], row["status"]) for row in steps] == [(s, "done") for s in chain.STEPS]
    assert steps[0]["run_id"].startswith("nova_corrente_daily.manual__")
    pushed = f"{DAG}/dagRuns/{run_id}/taskInstances/bronze.load_bronze/xcomEntries/return_value"
    assert api.call("GET", f"{pushed}?deserialize=true")["value"] == steps[1]["result"]
    assert_serves_the_erp(demo_lake)


def test_after_a_refusal_nothing_runs_and_nothing_is_served(demo_lake: Settings, api: Api) -> None:
    before = publish.served(demo_lake)
    change(postgres.erp_dsn(demo_lake), "select pg_drop_replication_slot('lakehouse')")
    _, state, tasks = api.run()

    assert state == "failed"
    extract, *others = (tasks[name] for name in TASKS)
    assert extract == ("failed", 1)  # not tried again, though retries are allowed
    assert {status for status, _ in others} == {"upstream_failed"}
    [(step, status)] = [(row["step"], row["status"]) for row in chain.last_run(demo_lake)]
    assert (step, status) == ("extract", "refused")
    assert publish.served(demo_lake) == before


def test_it_listens_on_loopback_only(up: Airflow) -> None:
    addresses = listening(members(sessions(os.getpid())))
    assert addresses == [f"0100007F:{up.port:04X}"]


def test_a_second_airflow_of_the_lake_is_refused(demo_lake: Settings, up: Airflow) -> None:
    with pytest.raises(RefusedError, match=f"process {os.getpid()}"):
        airflow.prepare(demo_lake)
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
