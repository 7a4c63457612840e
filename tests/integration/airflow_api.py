"""Airflow as its user sees it: what its REST API says of a run, and of the tasks in it."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lakehouse.orchestration.airflow_home import Airflow

DAGS = "/api/v2/dags"
RUN_TIMEOUT_S = 600.0


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

    def trigger(self, dag_id: str, **conf: str) -> Run:
        body = {"logical_date": None, "conf": conf}
        run_id = self.call("POST", f"{DAGS}/{dag_id}/dagRuns", body)["dag_run_id"]
        return Run(self, dag_id, run_id)

    def newest(self, dag_id: str) -> Run | None:
        path = f"{DAGS}/{dag_id}/dagRuns?order_by=-run_after&limit=1"
        found = self.call("GET", path)["dag_runs"]
        return Run(self, dag_id, found[0]["dag_run_id"]) if found else None

    def last(self, dag_id: str) -> Run:
        """The newest run, which there is."""
        run = self.newest(dag_id)
        assert run is not None
        return run

    def knows(self, dag_id: str) -> bool:
        try:
            return bool(self.call("GET", f"{DAGS}/{dag_id}")["dag_id"])
        except LookupError:
            return False


@dataclass(frozen=True)
class Run:
    """One run of a DAG, as Airflow tells of it."""

    api: Api
    dag_id: str
    run_id: str

    @property
    def path(self) -> str:
        return f"{DAGS}/{self.dag_id}/dagRuns/{self.run_id}"

    def state(self) -> str:
        return str(self.api.call("GET", self.path)["state"])

    def has_ended(self) -> bool:
        return self.state() in {"success", "failed"}

    def ended(self) -> str:
        until(self.has_ended, RUN_TIMEOUT_S)
        return self.state()

    def tasks(self) -> dict[str, tuple[str, int]]:
        """State and tries of each task, by the name of its group."""
        found = self.api.call("GET", f"{self.path}/taskInstances")["task_instances"]
        return {
            each["task_id"].split(".")[0]: (each["state"], each["try_number"]) for each in found
        }

    def log(self, task_id: str) -> list[tuple[str, str | None]]:
        """What the first try of a task said, and at which level."""
        found = self.api.call("GET", f"{self.path}/taskInstances/{task_id}/logs/1")
        return [(each["event"], each.get("level")) for each in found["content"]]

    def is_at(self, group: str, state: str) -> bool:
        return self.tasks().get(group, ("", 0))[0] == state

    def has_left(self, group: str, attempt: int) -> bool:
        """Whether a task no longer runs for that many times."""
        return self.tasks()[group] != ("running", attempt)

    def clear(self, *task_ids: str) -> None:
        body = {
            "dry_run": False,
            "dag_run_id": self.run_id,
            "task_ids": list(task_ids),
            "include_downstream": True,
            "only_failed": False,
        }
        self.api.call("POST", f"{DAGS}/{self.dag_id}/clearTaskInstances", body)
        until(lambda: not self.has_ended(), 30)


def until(condition: Callable[[], bool], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.25)
