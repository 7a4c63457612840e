"""The DAGs under a real Airflow: good days, bad days of each kind, and gone without a trace."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import psycopg2
import pytest

from lakehouse import cdc, publish, transform
from lakehouse import settings as lakehouse_settings
from lakehouse.erp import company, postgres
from lakehouse.orchestration import airflow, airflow_home, chain
from lakehouse.orchestration.airflow_home import Airflow
from lakehouse.settings import Settings
from tests.fixtures.exports import FORECAST, export
from tests.fixtures.lakes import alerts, temporary_lake
from tests.integration.airflow_api import DAGS, Api, until
from tests.integration.conformance import change
from tests.integration.processes import kill_whoever_holds
from tests.integration.thread import ask, assert_serves_the_erp

# One worker: these tests share one lake and its Airflow, and go by its state.
pytestmark = [
    pytest.mark.server,
    pytest.mark.scheduler,
    pytest.mark.xdist_group("airflow"),
]

DAILY = "nova_corrente_daily"
CANARY = "canary-5f0c2d"
SLACK = {"conn_type": "slackwebhook", "password": CANARY, "host": "http://127.0.0.1:1"}
ONE_ITEM = "where item_id = (select min(item_id) from items where not is_service)"
ONE_STOCK = (
    "where (item_id, tower_id) in (select item_id, tower_id from inventory order by 1, 2 limit 1)"
)
TASKS = (*chain.STEPS, "notify")


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Settings]:
    """The lake of another server, which holds the warehouse, so that it alone can go away."""
    with temporary_lake() as other:
        postgres.up(other)
        yield other


@pytest.fixture(scope="module")
def demo_lake(warehouse: Settings) -> Iterator[Settings]:
    """A small company that has lived a month, with a change log that is followed."""
    with pytest.MonkeyPatch.context() as shell:
        shell.setenv("WAREHOUSE_DSN", postgres.warehouse_dsn(warehouse))
        folder = Path(tempfile.mkdtemp(prefix="lake-"))
        shell.setenv("LAKEHOUSE_HOME", str(folder / "home"))
        settings = lakehouse_settings.load()
        postgres.up(settings)
        company.create(settings, scale=0.1)
        cdc.sync(settings)
        company.advance(settings, days=20)
        yield settings
        postgres.down(settings)
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def up(demo_lake: Settings) -> Iterator[Airflow]:
    with pytest.MonkeyPatch.context() as shell:
        # What somebody exported for another Airflow must not reach this one.
        shell.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "sqlite:////nowhere/airflow.db")
        shell.setenv("AIRFLOW_CONN_SLACK_ALERTS", json.dumps(SLACK))
        with airflow.running(demo_lake) as alive:
            yield alive()


@pytest.fixture(scope="module")
def api(up: Airflow) -> Api:
    client = Api(up)
    for dag_id in (DAILY, "lake_maintenance", "ml_results", "backfill"):
        until(partial(client.knows, dag_id), 60)
        client.call("PATCH", f"{DAGS}/{dag_id}", {"is_paused": False})
    return client


def test_a_triggered_run_serves_the_erp(demo_lake: Settings, api: Api) -> None:
    run = api.trigger(DAILY)
    assert run.ended() == "success"
    assert run.tasks() == dict.fromkeys(TASKS, ("success", 1))
    steps = chain.last_run(demo_lake)
    assert [(row["step"], row["status"]) for row in steps] == [(s, "done") for s in chain.STEPS]
    assert steps[0]["run_id"].startswith("nova_corrente_daily.manual__")
    pushed = f"{run.path}/taskInstances/bronze.load_bronze/xcomEntries/return_value"
    assert api.call("GET", f"{pushed}?deserialize=true")["value"] == steps[1]["result"]
    assert_serves_the_erp(demo_lake)
    assert alerts(demo_lake) == []


def test_a_task_leads_to_its_pages(up: Airflow, api: Api) -> None:
    run = api.last(DAILY)
    path = f"{run.path}/taskInstances/checkpoint.check_marts/links"
    assert api.call("GET", path)["extra_links"] == {
        "Data Docs": f"{up.pages_url}/data_docs/",
        "Runbooks": f"{up.pages_url}/runbooks/",
    }


def test_the_log_of_a_task_says_what_became_of_each_table(api: Api) -> None:
    run = api.last(DAILY)
    bronze, models = run.log("bronze.load_bronze"), run.log("dbt_run.build_models")
    assert any(event.startswith("erp/items: ") for event, _ in bronze)
    assert any(event.startswith("dim_items: success in") for event, _ in models)
    assert "error" not in {level for _, level in bronze + models}


def test_new_marts_bring_the_maintenance(api: Api) -> None:
    until(lambda: api.newest("lake_maintenance") is not None, 30)
    assert api.last("lake_maintenance").ended() == "success"


def test_the_lineage_of_dbt_names_the_task_that_ran_it(demo_lake: Settings) -> None:
    folder = demo_lake.home / "lineage"
    [file] = folder.glob(f"{DAILY}.*.dbt_run.jsonl")
    of_dbt = [json.loads(line) for line in file.read_text("utf8").splitlines()]
    parents = {event["run"]["facets"]["parent"]["run"]["runId"] for event in of_dbt}
    of_airflow = [json.loads(path.read_text("utf8")) for path in folder.glob("airflow-*.json")]
    runs = {
        event["run"]["runId"]
        for event in of_airflow
        if event["job"]["name"] == f"{DAILY}.dbt_run.build_models"
        and event["eventType"] == "COMPLETE"
    }
    assert len(parents) == 1
    assert parents <= runs
    [written] = [
        event
        for event in of_dbt
        if event["eventType"] == "COMPLETE" and ".dim_items." in event["job"]["name"]
    ]
    assert {each["name"].split(".")[-1] for each in written["outputs"]} == {"dim_items"}
    assert written["inputs"]


def test_triggered_twice_at_once_one_waits_for_the_other(demo_lake: Settings, api: Api) -> None:
    company.advance(demo_lake, days=1)
    runs = [api.trigger(DAILY), api.trigger(DAILY)]
    assert [run.ended() for run in runs] == ["success", "success"]
    steps = ask(
        postgres.warehouse_dsn(demo_lake),
        "select run_id, min(started_at), max(ended_at) from ops.pipeline_runs"
        f" where run_id like '{DAILY}%' group by 1 order by 2 desc limit 2",
    )
    (_, began, _), (_, _, ended) = steps
    assert began > ended
    assert_serves_the_erp(demo_lake)


def test_a_dbt_test_that_fails_stops_the_day(demo_lake: Settings, api: Api) -> None:
    before = publish.served(demo_lake)
    change(demo_lake, f"update inventory set current_stock = current_stock + 7 {ONE_STOCK}")
    run = api.trigger(DAILY)
    assert run.ended() == "failed"
    tasks = run.tasks()
    assert tasks["dbt_test"] == ("failed", 1)  # not tried again: it would fail the same way
    assert {tasks[name][0] for name in TASKS[4:]} == {"upstream_failed"}
    [alert] = alerts(demo_lake)
    assert Path(alert["runbook"]).stem == "test-failed"
    assert any("assert_stock_position_agrees_with_erp" in check for check in alert["checks"])
    assert before is not None
    assert before.run_id in alert["served"]
    assert publish.served(demo_lake) == before


def test_cleared_after_the_repair_it_is_green_though_it_is_killed(
    demo_lake: Settings, api: Api
) -> None:
    change(demo_lake, f"update inventory set current_stock = current_stock - 7 {ONE_STOCK}")
    run = api.last(DAILY)
    run.clear("extract.land_changes")
    kill_whoever_holds(demo_lake, "step dbt_run")
    assert run.ended() == "success"
    assert run.tasks()["dbt_run"][1] == 3  # once before it was cleared, killed, and again
    assert_serves_the_erp(demo_lake)
    assert [line["kind"] for line in alerts(demo_lake)] == ["alert", "recovered"]


def test_an_expectation_that_fails_closes_the_gate(demo_lake: Settings, api: Api) -> None:
    before = publish.served(demo_lake)
    change(demo_lake, f"update items set unit_cost_brl = 2000000 {ONE_ITEM}")
    run = api.trigger(DAILY)
    assert run.ended() == "failed"
    assert run.tasks()["checkpoint"] == ("failed", 1)
    *_, alert = alerts(demo_lake)
    assert Path(alert["runbook"]).stem == "gate-closed"
    assert any("dim_items.unit_cost_brl" in check for check in alert["checks"])
    assert publish.served(demo_lake) == before


def test_a_server_that_is_away_for_a_while_only_delays_the_day(
    demo_lake: Settings, warehouse: Settings, api: Api
) -> None:
    change(demo_lake, f"update items set unit_cost_brl = 20 {ONE_ITEM}")
    postgres.down(warehouse)
    run = api.trigger(DAILY)
    until(lambda: run.is_at("extract", "up_for_retry"), 120)
    assert postgres.up(warehouse)
    assert run.ended() == "success"
    assert run.tasks()["extract"][1] > 1
    assert_serves_the_erp(demo_lake)
    assert [line["kind"] for line in alerts(demo_lake)] == ["alert", "recovered"] * 2


def test_a_backfill_of_a_range_serves_the_same_marts(demo_lake: Settings, api: Api) -> None:
    before = transform.mart_hashes(demo_lake)
    served = publish.served(demo_lake)
    assert served is not None
    assert served.as_of_date is not None
    since = (served.as_of_date - timedelta(days=7)).isoformat()
    run = api.trigger("backfill", how="range", since=since, until=served.as_of_date.isoformat())
    assert run.ended() == "success"
    after = publish.served(demo_lake)
    assert after is not None
    assert after.run_id.startswith("backfill.manual__")
    assert transform.mart_hashes(demo_lake) == before


def test_airflow_dags_test_runs_the_day_too(demo_lake: Settings, up: Airflow) -> None:
    company.advance(demo_lake, days=1)
    command = airflow_home.command(demo_lake, up, "dags", "test", DAILY)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert_serves_the_erp(demo_lake)


def test_forecasts_are_served_when_they_are_delivered(demo_lake: Settings, api: Api) -> None:
    before = publish.served(demo_lake)
    assert before is not None
    assert before.as_of_date is not None
    [(item,)] = ask(postgres.erp_dsn(demo_lake), f"select item_id from items {ONE_ITEM}")
    day = before.as_of_date + timedelta(days=1)
    row = FORECAST | {"item_id": item, "date": day}
    export(demo_lake, [row], quantiles=None, cutoff_date=before.as_of_date.isoformat())
    until(lambda: api.newest("ml_results") is not None, 60)
    assert api.last("ml_results").ended() == "success"
    until(lambda: publish.served(demo_lake) != before, 120)
    query = "select item_id, forecast_date from marts.fact_forecasts"
    assert ask(postgres.warehouse_dsn(demo_lake), query) == [(item, day)]
    run = api.last(DAILY)
    assert run.run_id.startswith("asset_triggered__")
    assert run.ended() == "success"


def test_a_task_that_is_killed_for_good_raises_its_alert(demo_lake: Settings, api: Api) -> None:
    assert api.last("lake_maintenance").ended() == "success"
    before = len(alerts(demo_lake))
    connection = psycopg2.connect(postgres.warehouse_dsn(demo_lake))
    with connection, connection.cursor() as cursor:
        # The step waits where it records its start, so that it is met at work.
        cursor.execute("lock table ops.pipeline_runs in exclusive mode")
        run = api.trigger("lake_maintenance")
        for attempt in (1, 2):
            kill_whoever_holds(demo_lake, "step maintain")
            until(partial(run.has_left, "maintain_bronze", attempt), 60)
    connection.close()
    assert run.ended() == "failed"
    until(lambda: len(alerts(demo_lake)) > before, 60)
    [alert] = alerts(demo_lake)[before:]
    assert Path(alert["runbook"]).stem == "task-killed"


def test_a_slack_that_is_away_is_told_and_its_token_is_nowhere(
    demo_lake: Settings, api: Api
) -> None:
    assert {tuple(line["not_told"]) for line in alerts(demo_lake)} == {("slack_alerts",)}
    files = [path for path in demo_lake.home.rglob("*") if path.is_file()]
    written = [path for path in files if "postgres" not in path.parts]
    assert [path for path in written if CANARY.encode() in path.read_bytes()] == []
    run = api.last(DAILY)
    assert CANARY not in json.dumps(api.call("GET", f"{run.path}/taskInstances"))


def test_after_a_refusal_nothing_runs_and_nothing_is_served(demo_lake: Settings, api: Api) -> None:
    before = publish.served(demo_lake)
    change(demo_lake, "select pg_drop_replication_slot('lakehouse')")
    run = api.trigger(DAILY)
    assert run.ended() == "failed"
    extract, *others = (run.tasks()[name] for name in TASKS)
    assert extract == ("failed", 1)  # not tried again, though retries are allowed
    assert {status for status, _ in others} == {"upstream_failed"}
    [(step, status)] = [(row["step"], row["status"]) for row in chain.last_run(demo_lake)]
    assert (step, status) == ("extract", "refused")
    assert publish.served(demo_lake) == before
    assert Path(alerts(demo_lake)[-1]["runbook"]).stem == "changes-not-landed"
