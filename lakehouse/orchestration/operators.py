"""What DAGs are made of: one operator that runs a step of the chain, and the defaults of all tasks.

Parsed with every DAG file every half minute, so that nothing heavy is imported before a task runs.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta
from typing import Any, NoReturn

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from lakehouse import settings
from lakehouse.errors import LakehouseError, RefusedError

DEFAULT_ARGS: dict[str, Any] = {
    "owner": "data-engineering",
    "retries": 2,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=10),
}


class LakehouseStep(BaseOperator):
    """Run a step of the chain; what it counted goes to the log and to XCom.

    Only what may pass by itself is tried again: a lost server or process, but neither a refusal
    nor, where `errors_are_final`, a failure, which the same data and models would only repeat.
    """

    def __init__(self, *, step: str, errors_are_final: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.step = step
        self.errors_are_final = errors_are_final

    def execute(self, context: Context) -> dict[str, Any]:
        from lakehouse.orchestration import chain

        run_id = safe_run_id(self.dag_id, context["run_id"])
        try:
            counts = chain.run_step(settings.load(), self.step, run_id)
        except LakehouseError as error:
            self.log.error("%s. Next: %s.", error.what, error.hint)
            if self.errors_are_final or isinstance(error, RefusedError):
                raise AirflowFailException(error.what) from error
            raise
        self.log.info("%s of run %s: %s", self.step, run_id, counts)
        return plain(counts)

    def on_kill(self) -> NoReturn:
        """Interrupt the step as Ctrl-C does, where Airflow would let it run on to its end."""
        raise KeyboardInterrupt


def plain(counts: dict[str, Any]) -> dict[str, Any]:
    """Counts as JSON has them, as in `ops.pipeline_runs`: XCom would make a text of a tuple."""
    said: dict[str, Any] = json.loads(json.dumps(counts, default=str))
    return said


def safe_run_id(dag_id: str, run_id: str) -> str:
    """The name of a DAG run as a file, a table or a URL can carry it, and no other run's name."""
    name = f"{dag_id}.{run_id}"
    safe = re.sub(r"[^A-Za-z0-9_.-]", "-", name)
    if safe == name:
        return name
    return f"{safe}.{hashlib.sha256(name.encode()).hexdigest()[:8]}"
