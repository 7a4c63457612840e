"""Each kind of incident, caused for real on a lake without a scheduler: which alert it raises."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lakehouse.erp import company, postgres
from lakehouse.lock import lake_lock
from lakehouse.orchestration import jobs
from lakehouse.settings import Settings, export
from lakehouse.transform import dbt_runner
from tests.fixtures.lakes import temporary_lake
from tests.integration.thread import change

pytestmark = pytest.mark.server

NOWHERE = "postgresql://nobody@127.0.0.1:1/warehouse"
BAD_MODEL = "select item_id, no_such_column from (select '010825' as item_id) as items"
SOURCES = "sources: [{name: erp, tables: [{name: items}]}]"
MODEL = "select '010825' as item_id"
BAD_TEST = "select item_id, 'no unit' as why from {{ ref('items') }}"


@pytest.fixture(scope="module")
def company_lake() -> Iterator[Settings]:
    """A small company of which bronze knows: the tests break things in copies of its lake."""
    with temporary_lake() as lake:
        postgres.up(lake)
        company.create(lake, scale=0.1)
        for step in ("extract", "bronze"):
            jobs.run(lake, step, "before", {})
        yield lake


@pytest.fixture
def home(company_lake: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
        for name, value in export(company_lake).items():
            patch.setenv(name, value)
        (company_lake.home / "alerts.log").unlink(missing_ok=True)
        yield company_lake


def alert_of(lake: Settings, step: str, **options: Any) -> dict[str, Any]:
    """Run a task as Airflow does, which must fail; what its callback has written."""
    from airflow.sdk import DAG

    from lakehouse.orchestration import alerts
    from lakehouse.orchestration.operators import LakehouseOperator

    with DAG("daily", schedule=None):
        task = LakehouseOperator(task_id=f"do_{step}", step=step, **options)
    ti = SimpleNamespace(dag_id="daily", task_id=task.task_id, run_id=f"{step}-{id(task)}")
    context: Any = {"run_id": ti.run_id, "ti": ti, "task": task}
    with pytest.raises(Exception) as caught:  # noqa: PT011  # which one decides the alert
        task.execute(context)
    alerts.alert(context | {"exception": caught.value})
    [line] = (lake.home / "alerts.log").read_text("utf8").splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def page(alert: dict[str, Any]) -> str:
    return Path(alert["runbook"]).stem


@pytest.fixture
def dbt_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dbt project of one model, in the place of ours."""
    (tmp_path / "models").mkdir()
    (tmp_path / "tests").mkdir()
    shutil.copy(dbt_runner.PROJECT_FOLDER / "profiles.yml", tmp_path)
    (tmp_path / "dbt_project.yml").write_text("name: broken\nprofile: lakehouse\n")
    (tmp_path / "models" / "sources.yml").write_text(SOURCES)
    monkeypatch.setattr(dbt_runner, "PROJECT_FOLDER", tmp_path)
    return tmp_path


def test_a_lake_that_somebody_else_holds(home: Settings) -> None:
    with lake_lock(home, "somebody"):
        alert = alert_of(home, "bronze")
    assert page(alert) == "lake-held"
    assert "`somebody`" in alert["what"]


def test_a_server_that_is_away(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_DSN", NOWHERE)
    alert = alert_of(home, "extract")
    assert page(alert) == "server-away"
    assert alert["served"].startswith("cannot be told: the warehouse server cannot be reached")


def test_an_erp_that_is_away(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERP_DSN", NOWHERE)
    alert = alert_of(home, "extract")
    assert page(alert) == "server-away"
    assert alert["served"] == "nothing yet"


def test_a_disk_that_is_full(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    # What the kernel says of a full disk; filling one needs a file system of our own.
    def no_room(*_: Any) -> None:
        raise OSError(28, "No space left on device", "part.parquet")

    monkeypatch.setattr("lakehouse.bronze.load", no_room)
    assert page(alert_of(home, "bronze")) == "disk-full"


def test_marts_that_no_gate_passed(home: Settings) -> None:
    alert = alert_of(home, "publish")
    assert page(alert) == "marts-not-served"


def test_a_model_that_fails(home: Settings, dbt_project: Path) -> None:
    (dbt_project / "models" / "items.sql").write_text(BAD_MODEL)
    alert = alert_of(home, "dbt_run", errors_are_final=True)
    assert page(alert) == "model-failed"
    assert "no_such_column" in alert["what"]
    assert alert["checks"] == ["items: model error"]


def test_a_rule_that_is_broken(home: Settings, dbt_project: Path) -> None:
    (dbt_project / "models" / "items.sql").write_text(MODEL)
    (dbt_project / "tests" / "items_have_units.sql").write_text(BAD_TEST)
    jobs.run(home, "dbt_run", "built", {})
    alert = alert_of(home, "dbt_test", errors_are_final=True)
    assert page(alert) == "test-failed"
    assert "item_id=010825, why=no unit" in alert["what"]
    assert alert["checks"] == ["items_have_units: test fail, 1 rows"]


def test_a_backfill_without_its_days(home: Settings) -> None:
    arguments = {"how": "range", "since": "2025-01-31", "until": None}
    alert = alert_of(home, "backfill", arguments=arguments, errors_are_final=True)
    assert page(alert) == "backfill-failed"
    assert "until is None" in alert["what"]


def test_forecasts_that_are_refused(home: Settings) -> None:
    folder = Path(home.lake_uri, "exports", "ml_results", "demand", "v1")
    folder.mkdir(parents=True)
    (folder / "metadata.json").write_text("{}")
    alert = alert_of(home, "forecasts", errors_are_final=True)
    assert page(alert) == "forecasts-not-landed"
    assert "demand/v1: metadata.json: model_version" in alert["what"]


def test_a_table_that_cannot_be_maintained(home: Settings) -> None:
    log = Path(home.bronze_uri, "erp", "items", "_delta_log")
    log.rename(kept := log.with_name("kept"))
    log.mkdir()
    (log / "00000000000000000000.json").write_text("no JSON")
    try:
        assert page(alert_of(home, "maintain")) == "maintenance-failed"
    finally:
        shutil.rmtree(log)
        kept.rename(log)


def test_a_file_that_cannot_be_loaded(home: Settings) -> None:
    table = Path(home.bronze_uri, "erp", "items")
    table.rename(kept := table.with_name("kept"))
    table.write_text("no folder")
    try:
        assert page(alert_of(home, "bronze")) == "bronze-not-loaded"
    finally:
        table.unlink()
        kept.rename(table)


def test_a_batch_that_is_refused(home: Settings) -> None:
    change(
        postgres.erp_dsn(home),
        "insert into items select '11', item_name, family, unit, unit_cost_brl, criticality,"
        " is_service, description, created_at, updated_at from items limit 1",
    )
    jobs.run(home, "extract", "refused", {})
    alert = alert_of(home, "bronze")
    assert page(alert) == "landed-refused"
    assert "keys item_id=11" in alert["what"]
    assert any(check.startswith("erp/items.item_id") for check in alert["checks"])
    # It is there by now, so a load brings nothing; it is refused all the same.
    (home.home / "alerts.log").unlink()
    assert page(alert_of(home, "bronze")) == "landed-refused"


def test_a_change_log_that_was_cut(home: Settings) -> None:
    change(postgres.erp_dsn(home), "select pg_drop_replication_slot('lakehouse')")
    alert = alert_of(home, "extract")
    assert page(alert) == "changes-not-landed"
