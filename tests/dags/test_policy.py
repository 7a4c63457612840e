"""Every DAG of ours is found, in order, owned, documented and cheap to parse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lakehouse.orchestration import chain
from lakehouse.orchestration.airflow_home import POOL
from lakehouse.settings import PROJECT

REPORT = Path(__file__).with_name("report.py")
# The closed list: a new tag is agreed on here.
TAGS = {"daily", "erp", "forecasts", "lake", "maintenance", "marts", "on-demand"}
TASKS = {
    "nova_corrente_daily": {
        "extract.land_changes": "extract",
        "bronze.load_bronze": "bronze",
        "dbt_run.build_models": "dbt_run",
        "dbt_test.test_models": "dbt_test",
        "checkpoint.check_marts": "checkpoint",
        "publish.serve_marts": "publish",
        "notify.tell_what_is_served": None,
    },
    "lake_maintenance": {"maintain_bronze": "maintain"},
    "ml_results": {"land_forecasts": "forecasts"},
    "backfill": {
        "build.build_again": "backfill",
        "dbt_test.test_models": "dbt_test",
        "checkpoint.check_marts": "checkpoint",
        "publish.serve_marts": "publish",
        "notify.tell_what_is_served": None,
    },
}
SAME_AGAIN = {"backfill", "dbt_run", "dbt_test", "forecasts"}  # the same again fails the same way
BAD_DAG = """
import duckdb
from datetime import datetime
from airflow.sdk import BaseOperator, dag

@dag(
    schedule="@daily",
    start_date=datetime(2024, 1, 1),
    catchup=True,
    tags=["whatever"],
    max_active_runs=5,
)
def another_name():
    BaseOperator(task_id="lonely", retries=9)

another_name()
"""
ALL_RULES = {
    "another_name: the file is not named like the DAG",
    "another_name: dbt would import the file dbt_bad as a plugin",
    "another_name: no runbook",
    "another_name: tags outside the list",
    "another_name: may make up for missed days",
    "another_name: two runs may be active at once",
    "another_name: a task that is killed fails without an alert",
    "another_name.lonely: owned by airflow",
    "another_name.lonely: 9 retries",
    "another_name.lonely: no runbook",
    "another_name.lonely: writes beside the lake's other writers",
    "another_name.lonely: fails without an alert",
    "parsing imports duckdb",
}


def report(folder: Path, home: Path) -> dict[str, Any]:
    """What a fresh interpreter says about a folder of DAGs, with an Airflow home of its own."""
    out = home / "report.json"
    subprocess.run(
        [sys.executable, str(REPORT), str(folder), str(out)],
        env={**os.environ, "AIRFLOW_HOME": str(home)},
        cwd=home,
        check=True,
    )
    found: dict[str, Any] = json.loads(out.read_text("utf8"))
    return found


def broken_rules(found: dict[str, Any]) -> set[str]:
    broken = {f"parsing imports {name}" for name in found["heavy"]}
    for dag_id, dag in found["dags"].items():
        rules = {
            "the file is not named like the DAG": dag["file"] == dag_id,
            f"dbt would import the file {dag['file']} as a plugin": dag["file"][:4] != "dbt_",
            "no runbook": "When it fails" in dag["doc"],
            "tags outside the list": set(dag["tags"]) <= TAGS and dag["tags"],
            "may make up for missed days": not dag["catchup"],
            "two runs may be active at once": dag["max_active_runs"] == 1,
            "a task that is killed fails without an alert": dag["alerts"],
        }
        broken |= {f"{dag_id}: {rule}" for rule, kept in rules.items() if not kept}
        for task in dag["tasks"]:
            rules = {
                f"owned by {task['owner']}": task["owner"] == "data-engineering",
                f"{task['retries']} retries": task["retries"] <= 3,
                "no runbook": "**Red:**" in task["doc"],
                "writes beside the lake's other writers": task["pool"] == POOL,
                "fails without an alert": task["alerts"],
            }
            broken |= {f"{dag_id}.{task['id']}: {r}" for r, kept in rules.items() if not kept}
    return broken


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return report(PROJECT / "dags", tmp_path_factory.mktemp("airflow"))


def test_exactly_these_dags_and_tasks_are_found(ours: dict[str, Any]) -> None:
    assert ours["errors"] == {}
    found = {
        dag_id: {task["id"]: task["step"] for task in dag["tasks"]}
        for dag_id, dag in ours["dags"].items()
    }
    assert found == TASKS
    assert {path.stem for path in (PROJECT / "dags").glob("*.py")} == set(TASKS)


def test_the_daily_dag_is_the_chain_in_its_order(ours: dict[str, Any]) -> None:
    tasks = ours["dags"]["nova_corrente_daily"]["tasks"]
    assert [task["step"] for task in tasks] == [*chain.STEPS, None]
    ids = [task["id"] for task in tasks]
    assert [task["after"] for task in tasks] == [[], *([task_id] for task_id in ids[:-1])]


def test_what_would_fail_the_same_way_is_not_tried_again(ours: dict[str, Any]) -> None:
    steps = [task for dag in ours["dags"].values() for task in dag["tasks"] if task["step"]]
    assert {task["step"] for task in steps if task["errors_are_final"]} == SAME_AGAIN


def test_new_marts_start_the_maintenance(ours: dict[str, Any]) -> None:
    assert "AssetTriggered" in ours["dags"]["lake_maintenance"]["schedule"]


def test_the_daily_dag_runs_on_business_days_in_sao_paulo(ours: dict[str, Any]) -> None:
    schedule = ours["dags"]["nova_corrente_daily"]["schedule"]
    assert "'0 5 * * 1-5'" in schedule
    assert "'America/Sao_Paulo'" in schedule
    assert schedule.startswith("AssetOrTimeSchedule")
    assert "Asset(name='forecasts'" in schedule


def test_the_policy_holds(ours: dict[str, Any]) -> None:
    assert broken_rules(ours) == set()


def test_the_policy_can_fail(tmp_path: Path) -> None:
    folder = tmp_path / "dags"
    folder.mkdir()
    (folder / "dbt_bad.py").write_text(BAD_DAG)
    found = report(folder, tmp_path)
    assert broken_rules(found) == ALL_RULES
