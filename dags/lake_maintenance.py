"""
# The lake is looked after

**What.** Small files of bronze are gathered, logs shortened, and files that no table names are
removed, by policy: never under a reader's feet, and never a row. By hand:
`lakehouse bronze maintain`.

**When.** After each publish of new marts: that is when bronze has grown, and when nobody waits.

**When it fails**, nothing is lost and nothing is served otherwise: tables only get slower to read.
Page `maintenance-failed`. It may be cleared at any time: what is gathered already stays so.

**Connections.** `slack_alerts` and `smtp_alerts`, as the daily DAG.
"""

from __future__ import annotations

from airflow.sdk import dag

from lakehouse.orchestration.alerts import alert_of_run
from lakehouse.orchestration.operators import DEFAULT_ARGS, MARTS, LakehouseOperator


@dag(
    schedule=[MARTS],
    catchup=False,
    max_active_runs=1,
    default_args=dict(DEFAULT_ARGS),
    on_failure_callback=alert_of_run,
    tags=["lake", "maintenance"],
    doc_md=__doc__,
)
def lake_maintenance() -> None:
    LakehouseOperator(
        task_id="maintain_bronze",
        step="maintain",
        retries=1,  # it comes again with the next marts
        doc_md="Gathers and removes by policy; cleared, it goes on.\n\n"
        "**Red:** `maintenance-failed`, `disk-full`.",
    )


lake_maintenance()
