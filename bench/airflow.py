"""Airflow's own time a task: what it adds to the steps that it runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from bench import measuring
from bench.measuring import Result, below
from lakehouse import ops
from lakehouse.erp import company
from lakehouse.orchestration import airflow
from lakehouse.settings import Settings
from tests.integration.airflow_api import DAGS, Api, until

DAG = "lake_maintenance"
"""The shortest of our DAGs: what it does does not hide what Airflow does."""
RUNS = 9
MOST_S = 0.5
STEP = """
    select extract(epoch from ended_at - started_at) from ops.pipeline_runs
    where run_id like %s order by started_at
"""


def results() -> Iterator[Result]:
    """Every row of the table that is about Airflow."""
    with measuring.lake() as lake:
        company.create(lake, scale=0.1)
        with airflow.running(lake) as alive:
            tasks = _tasks(Api(alive()))[1:]
        steps = _steps(lake)[1:]
    own = [one.whole - one.work for one in tasks]
    what = f"Airflow's own time a task, median of {len(own)} after the first"
    yield below(what, median(own), "s", MOST_S)
    start = median(one.work - step for one, step in zip(tasks, steps, strict=True))
    yield Result("start of our package in a task", "", f"{start:.1f} s", "", None, "", True)


@dataclass(frozen=True)
class Timed:
    """Seconds of a task: from its start to its end, and of its operator's work in between."""

    whole: float
    work: float


def _tasks(api: Api) -> list[Timed]:
    until(lambda: api.knows(DAG), 60)
    api.call("PATCH", f"{DAGS}/{DAG}", {"is_paused": False})
    found = []
    for _ in range(RUNS):
        run = api.trigger(DAG)
        assert run.ended() == "success"
        [task] = api.call("GET", f"{run.path}/taskInstances")["task_instances"]
        path = f"{run.path}/taskInstances/{task['task_id']}/logs/1?full_content=true"
        log = api.call("GET", path)["content"]
        found.append(Timed(_between(task["start_date"], task["end_date"]), _work(log)))
    return found


def _work(log: list[dict[str, Any]]) -> float:
    """From the end of what Airflow does before, to the beginning of what it does after."""
    at = [(line["event"], line["timestamp"]) for line in log if "timestamp" in line]
    begun = next(time for event, time in at if event == "::endgroup::")
    ended = next(time for event, time in at if event == "::group::Post Execute")
    return _between(begun, ended)


def _between(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def _steps(lake: Settings) -> list[float]:
    """How long the step of each took, as it recorded itself."""
    with ops.warehouse(lake) as connection, connection.cursor() as cursor:
        cursor.execute(STEP, (f"{DAG}.%",))
        return [float(seconds) for (seconds,) in cursor]
