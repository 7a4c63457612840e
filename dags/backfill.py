"""
# Marts are built again from bronze

**What.** A range of days, or everything, is built again from bronze, tested, checked and served in
the same way as each day. Nothing is asked of the ERP. By hand: `lakehouse backfill`,
`lakehouse transform --full-refresh`, `lakehouse rebuild`; then `lakehouse gate` and `publish`.

**When.** On demand: *Trigger*, then choose.

| `how` | does |
|---|---|
| `range` | builds again what changed in the ERP `since` … `until`, both included |
| `full_refresh` | builds every model anew in the warehouse that is there |
| `rebuild` | drops the warehouse, builds all of it, and refuses what differs from before |

**When it fails**, the marts served before stay. Page `backfill-failed`; `test-failed` and
`gate-closed` as in the daily DAG. Every task may be cleared: a range is built again whole. A daily
run that wants the lake at the same time waits for each task, and may refuse marts that it did not
stage: clear its `checkpoint`.

**Connections.** `slack_alerts` and `smtp_alerts`, as the daily DAG.
"""

from __future__ import annotations

from types import MappingProxyType

from airflow.sdk import Param, TaskGroup, chain, dag

from lakehouse.orchestration.alerts import alert_of_run
from lakehouse.orchestration.operators import (
    DEFAULT_ARGS,
    MARTS,
    GxCheckpointOperator,
    LakehouseOperator,
    TellOperator,
)

NO_DAY_OR_ONE = ["null", "string"]
PARAMS = {
    "how": Param("range", enum=["range", "full_refresh", "rebuild"]),
    "since": Param(None, type=NO_DAY_OR_ONE, format="date", description="First day of the range."),
    "until": Param(None, type=NO_DAY_OR_ONE, format="date", description="Last day of the range."),
}
DOCS = MappingProxyType(
    {
        "build": "Builds the range or everything; cleared, the same again.\n\n"
        "**Red:** `backfill-failed`.",
        "dbt_test": "Tests whole tables, as each day.\n\n**Red:** `test-failed`.",
        "checkpoint": "The same gate as each day.\n\n**Red:** `gate-closed`.",
        "publish": "Swaps in what passed.\n\n**Red:** `marts-not-served`.",
        "notify": "Says what is served now.\n\n**Red:** clear it; nothing depends on it.",
    }
)


@dag(
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args=dict(DEFAULT_ARGS),
    on_failure_callback=alert_of_run,
    params=PARAMS,
    render_template_as_native_obj=True,
    tags=["marts", "on-demand"],
    doc_md=__doc__,
)
def backfill() -> None:
    groups = {name: TaskGroup(name) for name in DOCS}
    with groups["build"]:
        LakehouseOperator(
            task_id="build_again",
            step="backfill",
            arguments={name: f"{{{{ params.{name} }}}}" for name in PARAMS},
            errors_are_final=True,
            doc_md=DOCS["build"],
        )
    with groups["dbt_test"]:
        LakehouseOperator(
            task_id="test_models", step="dbt_test", errors_are_final=True, doc_md=DOCS["dbt_test"]
        )
    with groups["checkpoint"]:
        GxCheckpointOperator(task_id="check_marts", doc_md=DOCS["checkpoint"])
    with groups["publish"]:
        LakehouseOperator(
            task_id="serve_marts", step="publish", outlets=[MARTS], doc_md=DOCS["publish"]
        )
    with groups["notify"]:
        TellOperator(task_id="tell_what_is_served", doc_md=DOCS["notify"])
    chain(*groups.values())


backfill()
