"""
# Nova Corrente, every business day

**What.** One change log of the ERP becomes one new version of the served marts:
extract → bronze → dbt run → dbt test → checkpoint → publish. Each task calls the function that
`lakehouse run` calls, so what is red here can be run by hand: `lakehouse run`.

**When.** Monday to Friday at 05:00 in São Paulo. Days that were missed are not made up for:
a run takes all that the ERP has committed since the last one.

**When it fails**, the marts of the last good run are still served. The task's log ends with what
happened and the next command; the same is in `ops.pipeline_runs`.

| red task | means | do |
|---|---|---|
| `extract.land_changes` | no ERP, or its change log was cut | what the log says |
| `bronze.load_bronze` | a landing file or a Delta commit failed | mend the cause, clear it |
| `dbt_run.build_models` | a model's SQL failed | mend the model, clear it |
| `dbt_test.test_models` | a rule on whole tables is broken | mend it, clear from `extract` |
| `checkpoint.check_marts` | an expectation failed: `ops.quality_results` | the same |
| `publish.serve_marts` | the swap or a gold table failed | clear it |

Every task may be cleared and run again: nothing is loaded or published twice. A lost server or
process is tried again by itself; a refusal, a model and a test are not. A task refused because
somebody else holds the lake names the holder: clear it when that is done.

**Connections.** None of Airflow's: servers come from the settings (`lakehouse status`).
"""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType

from airflow.sdk import CronTriggerTimetable, TaskGroup, chain, dag

from lakehouse.orchestration.operators import DEFAULT_ARGS, LakehouseStep

TASKS = MappingProxyType(
    {
        "extract": "land_changes",
        "bronze": "load_bronze",
        "dbt_run": "build_models",
        "dbt_test": "test_models",
        "checkpoint": "check_marts",
        "publish": "serve_marts",
    }
)
SAME_AGAIN = frozenset({"dbt_run", "dbt_test"})  # the same data and models fail the same way


@dag(
    schedule=CronTriggerTimetable(
        "0 5 * * 1-5",
        timezone="America/Sao_Paulo",
        # Otherwise the first start after five would make up for this morning.
        run_immediately=timedelta(0),
    ),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["daily", "erp", "marts"],
    doc_md=__doc__,
)
def nova_corrente_daily() -> None:
    groups = []
    for step, task_id in TASKS.items():
        with TaskGroup(step) as group:
            LakehouseStep(task_id=task_id, step=step, errors_are_final=step in SAME_AGAIN)
        groups.append(group)
    chain(*groups)


nova_corrente_daily()
