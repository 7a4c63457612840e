"""What DAGs are made of: the operators that call the package, and the defaults of all tasks.

Parsed with every DAG file every half minute, so that nothing heavy is imported before a task runs.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import Asset, BaseOperator, BaseOperatorLink, Context, WeightRule
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from lakehouse import settings
from lakehouse.errors import LakehouseError, RefusedError
from lakehouse.orchestration.airflow_home import POOL
from lakehouse.orchestration.alerts import alert
from lakehouse.orchestration.incidents import passes_by_itself, safe_run_id

if TYPE_CHECKING:
    from airflow.sdk.types import TaskInstanceKey

    from lakehouse.settings import Settings

MARTS = Asset("marts")
"""What the planners see. A DAG that follows it starts after each publish."""
FORECASTS = Asset("forecasts")
"""What the ML environment said last. A DAG that follows it starts when some have landed."""

DEFAULT_ARGS: Mapping[str, Any] = {
    "owner": "data-engineering",
    "pool": POOL,
    # Of two runs that want the lake, the one that is further on has it first.
    "weight_rule": WeightRule.UPSTREAM,
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=10),
    "execution_timeout": timedelta(hours=6),
    "on_failure_callback": alert,
}


class PageLink(BaseOperatorLink):
    """A button of a task that opens a page which `make airflow` serves beside Airflow."""

    def __init__(self, name: str, path: str) -> None:
        self._name, self._path = name, path

    @property
    def name(self) -> str:
        return self._name

    @property
    def xcom_key(self) -> str:
        return f"link {self._name}"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002
        from airflow.sdk.configuration import conf

        return f"{conf.get('lakehouse', 'pages_url', fallback='')}/{self._path}"


class LakehouseOperator(BaseOperator):
    """Run one step; what it counted goes to the log and to XCom, what it refused is not retried.

    Only what may pass by itself is tried again: a lost server or process and a lake that somebody
    else holds; neither another refusal nor, where `errors_are_final`, a failure, which the same
    data and models would only repeat.
    """

    template_fields = ("arguments",)
    operator_extra_links: Collection[BaseOperatorLink] = (PageLink("Runbooks", "runbooks/"),)

    def __init__(
        self,
        *,
        step: str,
        arguments: Mapping[str, Any] | None = None,
        errors_are_final: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.step = step
        self.arguments = dict(arguments or {})
        self.errors_are_final = errors_are_final

    def execute(self, context: Context) -> dict[str, Any]:
        from lakehouse.orchestration import jobs, lineage

        lake = settings.load()
        run_id = safe_run_id(self.dag_id, context["run_id"])
        try:
            with lineage.kept(lake, self.step, run_id, context["ti"]):
                counts = jobs.run(lake, self.step, run_id, self.arguments)
        except LakehouseError as error:
            self.log.error("%s. Next: %s.", error.what, error.hint)
            self.explain(lake, run_id)
            if self._is_final(error):
                raise AirflowFailException(error.what) from error
            raise
        self.log.info("%s of run %s: %s", self.step, run_id, counts)
        if "skipped" in counts:
            raise AirflowSkipException(counts["skipped"])
        return plain(counts)

    def _is_final(self, error: LakehouseError) -> bool:
        if passes_by_itself(error):
            return False
        return self.errors_are_final or isinstance(error, RefusedError)

    def explain(self, lake: Settings, run_id: str) -> None:
        """Say more about a failure, where the step keeps more than its sentence."""

    def on_kill(self) -> NoReturn:
        """Interrupt the step as Ctrl-C does, where Airflow would let it run on to its end."""
        raise KeyboardInterrupt


class GxCheckpointOperator(LakehouseOperator):
    """Stage the marts and run the gate's checkpoint; each expectation that failed is in the log."""

    operator_extra_links: Collection[BaseOperatorLink] = (
        *LakehouseOperator.operator_extra_links,
        PageLink("Data Docs", "data_docs/"),
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(step="checkpoint", **kwargs)

    def explain(self, lake: Settings, run_id: str) -> None:
        from lakehouse.orchestration import alerts

        for check in alerts.failed_checks(lake, run_id):
            self.log.error("%s", check)


class TellOperator(BaseOperator):
    """Say what is served now, and that an incident is over when there was one."""

    def execute(self, context: Context) -> str:
        from lakehouse.orchestration import alerts

        run_id = safe_run_id(self.dag_id, context["run_id"])
        told = alerts.recover(settings.load(), self.dag_id, run_id)
        self.log.info("%s", told)
        return told


def plain(counts: dict[str, Any]) -> dict[str, Any]:
    """Counts as JSON has them, as in `ops.pipeline_runs`: XCom would make a text of a tuple."""
    said: dict[str, Any] = json.loads(json.dumps(counts, default=str))
    return said
