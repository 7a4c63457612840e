"""
# Nova Corrente, every business day

**What.** One change log of the ERP becomes one new version of the served marts:
extract → bronze → dbt run → dbt test → checkpoint → publish. Each task calls the function that
`lakehouse run` calls, so what is red here can be run by hand: `lakehouse run`. dbt's models are one
task, because one dbt process builds them.

**When.** Monday to Friday at 05:00 in São Paulo, and when forecasts have landed. Days that were
missed are not made up for: a run takes all that the ERP has committed since the last one.

**When it fails**, the marts of the last good run are still served. One alert says what stopped,
which keys, what is served, and which page of `docs/runbooks` helps; it is in `alerts.log` of the
lake's folder, and in Slack and e-mail where their connections are set. Each task's own page is in
its documentation.

Every task may be cleared and run again: nothing is loaded or published twice. A lost server or
process, and a lake that somebody else holds, are tried again by themselves; a refusal, a model and
a test are not.

**Connections.** Servers come from the settings (`lakehouse status`). `slack_alerts` (Slack Incoming
Webhook) and `smtp_alerts` (SMTP, its extra with `from_email` and `to`) are told of incidents.
"""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType

from airflow.sdk import (
    AssetOrTimeSchedule,
    CronTriggerTimetable,
    TaskGroup,
    TriggerRule,
    chain,
    dag,
)

from lakehouse.orchestration.alerts import alert_of_run
from lakehouse.orchestration.operators import (
    DEFAULT_ARGS,
    FORECASTS,
    MARTS,
    GxCheckpointOperator,
    LakehouseOperator,
    TellOperator,
)

DOCS = MappingProxyType(
    {
        "extract": "Lands what the ERP has committed since the last time, as files. Cleared, it "
        "goes on where it stopped.\n\n**Red:** `changes-not-landed`, `server-away`.",
        "bronze": "Loads the new files into Delta, each once, however often it is cleared.\n\n"
        "**Red:** `bronze-not-loaded`, `disk-full`, `lake-held`.",
        "dbt_run": "Builds every model over the new batches. Cleared, it builds the same range "
        "whole. The same data and models fail the same way, so it is not tried again.\n\n"
        "**Red:** `model-failed`.",
        "dbt_test": "Tests whole tables; only then is the range of batches done. The log has the "
        "failing rows. Mend them or the model, then clear from `extract`.\n\n"
        "**Red:** `test-failed`.",
        "checkpoint": "Copies the marts beside the served ones and checks them there. The log has "
        "each expectation that failed, `ops.quality_results` all.\n\n**Red:** `gate-closed`.",
        "publish": "Swaps in, in one transaction, what passed, then writes gold. Cleared after the "
        "swap, it only writes what gold lacks.\n\n**Red:** `marts-not-served`.",
        "notify": "Says what is served, also when nothing was new, and that an incident is over "
        "when there was one.\n\n**Red:** clear it; nothing depends on it.",
    }
)


AT_FIVE = CronTriggerTimetable(
    "0 5 * * 1-5",
    timezone="America/Sao_Paulo",
    # Otherwise the first start after five would make up for this morning.
    run_immediately=timedelta(0),
)


@dag(
    schedule=AssetOrTimeSchedule(timetable=AT_FIVE, assets=[FORECASTS]),
    catchup=False,
    max_active_runs=1,
    default_args=dict(DEFAULT_ARGS),
    on_failure_callback=alert_of_run,
    tags=["daily", "erp", "marts"],
    doc_md=__doc__,
)
def nova_corrente_daily() -> None:
    def step(name: str, task_id: str, *, final: bool = False) -> None:
        LakehouseOperator(task_id=task_id, step=name, errors_are_final=final, doc_md=DOCS[name])

    groups = {name: TaskGroup(name) for name in DOCS}
    with groups["extract"]:
        step("extract", "land_changes")
    with groups["bronze"]:
        step("bronze", "load_bronze")
    with groups["dbt_run"]:
        step("dbt_run", "build_models", final=True)
    with groups["dbt_test"]:
        step("dbt_test", "test_models", final=True)
    with groups["checkpoint"]:
        GxCheckpointOperator(task_id="check_marts", doc_md=DOCS["checkpoint"])
    with groups["publish"]:
        LakehouseOperator(
            task_id="serve_marts", step="publish", outlets=[MARTS], doc_md=DOCS["publish"]
        )
    with groups["notify"]:
        TellOperator(
            task_id="tell_what_is_served",
            trigger_rule=TriggerRule.NONE_FAILED,
            doc_md=DOCS["notify"],
        )
    chain(*groups.values())


nova_corrente_daily()
