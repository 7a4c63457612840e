"""What DAGs are made of: one operator that runs a step of the chain, and the defaults of all tasks.

Parsed with every DAG file every half minute, so that nothing heavy is imported before a task runs.
"""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from typing import Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from lakehouse import settings
from lakehouse.errors import LakehouseError, RefusedError

DEFAULT_ARGS: dict[str, Any] = {
    "owner": "data-engineering",
    "retries": 0,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=10),
}
TAGS = frozenset({"daily", "erp", "marts"})


class LakehouseStep(BaseOperator):
    """Run a step of the chain as `lakehouse run` does; what it counted goes to the log and to XCom.

    A refusal is final: a guard or a gate that said no will say it again.
    """

    ui_color = "#e8f0fe"

    def __init__(self, *, step: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.step = step

    def execute(self, context: Context) -> dict[str, Any]:
        from lakehouse.orchestration import chain

        run_id = safe_run_id(self.dag_id, context["run_id"])
        try:
            counts = chain.run_step(settings.load(), self.step, run_id)
        except RefusedError as error:
            raise AirflowFailException(f"{error.what}. Next: {error.hint}.") from error
        except LakehouseError as error:
            self.log.error("%s. Next: %s.", error.what, error.hint)
            raise
        self.log.info("%s of run %s: %s", self.step, run_id, counts)
        return counts


def safe_run_id(dag_id: str, run_id: str) -> str:
    """The name of a DAG run as a file, a table or a URL may carry it; other runs get other names.

    >>> safe_run_id("daily", "monday")
    'daily.monday'
    >>> safe_run_id("daily", "manual__2026-10-01T05:00:00+00:00")
    'daily.manual__2026-10-01T05-00-00-00-00.3fe7e2f6'
    """
    name = f"{dag_id}.{run_id}"
    safe = re.sub(r"[^A-Za-z0-9_.-]", "-", name)
    if safe == name:
        return name
    return f"{safe}.{hashlib.sha256(name.encode()).hexdigest()[:8]}"
