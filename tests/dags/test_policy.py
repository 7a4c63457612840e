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
from lakehouse.settings import PROJECT

REPORT = Path(__file__).with_name("report.py")
TAGS = {"daily", "erp", "marts"}  # the closed list: a new tag is agreed on here
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
    "another_name.lonely: owned by airflow",
    "another_name.lonely: 9 retries",
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
        }
        broken |= {f"{dag_id}: {rule}" for rule, kept in rules.items() if not kept}
        for task in dag["tasks"]:
            rules = {
                f"owned by {task['owner']}": task["owner"] == "data-engineering",
                f"{task['retries']} retries": task["retries"] <= 3,
            }
            broken |= {f"{dag_id}.{task['id']}: {r}" for r, kept in rules.items() if not kept}
    return broken


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return report(PROJECT / "dags", tmp_path_factory.mktemp("airflow"))


def test_exactly_these_dags_are_found(ours: dict[str, Any]) -> None:
    assert ours["errors"] == {}
    assert set(ours["dags"]) == {"nova_corrente_daily"}
    assert {path.stem for path in (PROJECT / "dags").glob("*.py")} == set(ours["dags"])


def test_the_daily_dag_is_the_chain(ours: dict[str, Any]) -> None:
    tasks = ours["dags"]["nova_corrente_daily"]["tasks"]
    ids = [task["id"] for task in tasks]
    assert [task["step"] for task in tasks] == list(chain.STEPS)
    assert [task_id.split(".")[0] for task_id in ids] == list(chain.STEPS)
    assert [task["after"] for task in tasks] == [[], *([task_id] for task_id in ids[:-1])]


def test_the_daily_dag_runs_on_business_days_in_sao_paulo(ours: dict[str, Any]) -> None:
    schedule = ours["dags"]["nova_corrente_daily"]["schedule"]
    assert "'0 5 * * 1-5'" in schedule
    assert "'America/Sao_Paulo'" in schedule


def test_the_policy_holds(ours: dict[str, Any]) -> None:
    assert broken_rules(ours) == set()


def test_the_policy_can_fail(tmp_path: Path) -> None:
    folder = tmp_path / "dags"
    folder.mkdir()
    (folder / "dbt_bad.py").write_text(BAD_DAG)
    found = report(folder, tmp_path)
    assert broken_rules(found) == ALL_RULES
