"""
# Forecasts are landed when they are delivered

**What.** Deliveries that the ML environment has exported to `exports/ml_results` of the lake are
checked whole and landed, each once; then the daily DAG brings them to the marts. By hand:
`lakehouse sources sync ml_results`, then `lakehouse run`.

**When.** When a delivery is whole: the triggerer looks twice a minute for its `metadata.json`,
which is written last.

**When it fails**, what is good has landed, and the forecasts served before stay. Page
`forecasts-not-landed`. It may be cleared at any time: each delivery is landed once. A delivery that
was exported anew starts it again by itself.

**Connections.** `slack_alerts` and `smtp_alerts`, as the daily DAG.
"""

from __future__ import annotations

from airflow.sdk import Asset, AssetWatcher, dag

from lakehouse.orchestration.alerts import alert_of_run
from lakehouse.orchestration.operators import DEFAULT_ARGS, FORECASTS, LakehouseOperator
from lakehouse.orchestration.triggers import ForecastsTrigger

EXPORTS = Asset(
    "exports/ml_results", watchers=[AssetWatcher("a delivery is whole", ForecastsTrigger())]
)


@dag(
    schedule=[EXPORTS],
    catchup=False,
    max_active_runs=1,
    default_args=dict(DEFAULT_ARGS),
    on_failure_callback=alert_of_run,
    tags=["forecasts", "lake"],
    doc_md=__doc__,
)
def ml_results() -> None:
    LakehouseOperator(
        task_id="land_forecasts",
        step="forecasts",
        outlets=[FORECASTS],
        errors_are_final=True,  # the same files are wrong in the same way
        doc_md="Checks and lands each delivery once; cleared, what is left.\n\n"
        "**Red:** `forecasts-not-landed`, `disk-full`.",
    )


ml_results()
