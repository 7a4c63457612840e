"""One alert an incident: what stopped, which keys, what is still served, and the runbook.

Every alert is a line of `<home>/alerts.log`, with who was told beside it. A channel that is not
set, or that errors, changes nothing but that line: an alert never fails a task.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2

from lakehouse import ops
from lakehouse import settings as lakehouse_settings
from lakehouse.errors import LakehouseError, first_line, one_line
from lakehouse.orchestration import channels, incidents
from lakehouse.settings import Settings

log = logging.getLogger(__name__)

ALERT, AGAIN, RECOVERED = "alert", "again", "recovered"
CHECKS = """
    select subject || ': ' || expectation || ' ' || status || ' ' || coalesce(observed::text, '')
    from ops.quality_results where run_id = %(run_id)s and status in ('failed', 'drifted', 'error')
    union all
    select node || ': ' || kind || ' ' || status || coalesce(', ' || failures || ' rows', '')
    from (
        select distinct on (node) * from ops.dbt_results
        where run_id = %(run_id)s order by node, recorded_at desc
    ) as latest
    where status in ('error', 'fail', 'runtime error')
    order by 1 limit 20
"""

UNENDED = """
    select step from ops.pipeline_runs
    where run_id = %(run_id)s and status = 'running' order by started_at desc limit 1
"""


@dataclass(frozen=True)
class Alert:
    """What the on-call reads first."""

    dag_id: str
    run_id: str
    task_id: str
    what: str
    checks: Sequence[str]
    served: str
    runbook: str

    @property
    def incident(self) -> str:
        """The same for a task that is cleared and fails again as it did."""
        what = hashlib.sha256(self.what.encode()).hexdigest()[:8]
        return f"{self.run_id}/{self.task_id}/{what}"

    @property
    def subject(self) -> str:
        return f"Nova Corrente lake: {self.dag_id} stopped at {self.task_id}"

    @property
    def text(self) -> str:
        lines = [
            self.subject,
            f"What: {self.what}",
            *(f"- {check}" for check in self.checks),
            f"Still served: {self.served}",
            f"Runbook: {self.runbook}",
            f"Run: {self.run_id}",
        ]
        return "\n".join(lines)


def alert(context: Mapping[str, Any]) -> None:
    """Airflow's callback of a task that has failed for good; it is called once, after the retries.

    It runs in the task's process; for one that was killed there is `alert_of_run`.
    """
    lake = lakehouse_settings.load()
    task = context["ti"]
    raise_alert(
        lake,
        dag_id=task.dag_id,
        run_id=incidents.safe_run_id(task.dag_id, task.run_id),
        task_id=task.task_id,
        step=getattr(context.get("task"), "step", ""),
        error=context.get("exception"),
    )


def alert_of_run(context: Mapping[str, Any]) -> None:
    """Airflow's callback of a run that has failed, called in the DAG processor.

    Whatever ended by itself has told already. What has not was killed, and could call nothing back.
    """
    lake = lakehouse_settings.load()
    dag_id = context["dag"].dag_id
    run_id = incidents.safe_run_id(dag_id, context["run_id"])
    since = context["dag_run"].start_date.replace(microsecond=0)
    with _book(lake) as book:
        if any(_is_of(line, run_id, since) for line in book.lines):
            return
    step = _unended(lake, run_id) or ""
    task_id = step or context["ti"].task_id
    raise_alert(lake, dag_id=dag_id, run_id=run_id, task_id=task_id, step=step, error=None)


def raise_alert(
    lake: Settings, *, dag_id: str, run_id: str, task_id: str, step: str, error: object
) -> Alert | None:
    """Tell of an incident, unless it was told already; return what was told."""
    checks = failed_checks(lake, run_id)
    page = incidents.page(step, error)
    new = Alert(
        dag_id, run_id, task_id, _what(error), checks, _served(lake), channels.page_address(page)
    )
    with _book(lake) as book:
        if any(line.get("incident") == new.incident for line in book.lines):
            said = {name: asdict(new)[name] for name in ("dag_id", "run_id", "task_id", "what")}
            book.add(AGAIN, said | {"incident": new.incident})
            return None
        told = channels.tell(new.subject, new.text)
        book.add(ALERT, asdict(new) | {"incident": new.incident} | told)
    log.error("%s", new.text)
    return new


def recover(lake: Settings, dag_id: str, run_id: str) -> str:
    """What is served now; who was told of an incident of this DAG is told that it is over."""
    served = _served(lake)
    with _book(lake) as book:
        ours = [line for line in book.lines if line.get("dag_id") == dag_id]
        if ours and ours[-1]["kind"] != RECOVERED:
            subject = f"Nova Corrente lake: {dag_id} runs again"
            text = f"{subject}\nServed: {served}\nIt had stopped: {ours[-1]['what']}"
            told = channels.tell(subject, text)
            book.add(RECOVERED, {"dag_id": dag_id, "run_id": run_id, "served": served} | told)
    return f"Served: {served}"


def failed_checks(lake: Settings, run_id: str) -> list[str]:
    """The expectations, models and tests of a run that are red, as `ops` keeps them."""
    try:
        with ops.warehouse(lake) as connection, connection.cursor() as cursor:
            cursor.execute(CHECKS, {"run_id": run_id})
            return [one_line(check)[:500] for (check,) in cursor]
    except (LakehouseError, psycopg2.Error) as error:
        return [f"what failed cannot be read from ops: {first_line(error)}"]


def _is_of(line: Mapping[str, Any], run_id: str, since: datetime) -> bool:
    """Whether a line tells of this run since it was begun, or begun again."""
    told = line.get("kind") in (ALERT, AGAIN) and line["run_id"] == run_id
    return told and datetime.fromisoformat(line["at"]) >= since


def _unended(lake: Settings, run_id: str) -> str | None:
    """The step of a run that is recorded as running still."""
    try:
        with ops.warehouse(lake) as connection, connection.cursor() as cursor:
            cursor.execute(UNENDED, {"run_id": run_id})
            row = cursor.fetchone()
    except (LakehouseError, psycopg2.Error) as error:
        log.warning("the step that was killed cannot be read from ops: %s", first_line(error))
        return None
    return None if row is None else str(row[0])


def _what(error: object) -> str:
    if error is None:
        return "the task's process ended without a word: killed, or out of memory"
    return one_line(error) or type(error).__name__


def _served(lake: Settings) -> str:
    """In words; a server that is away is said, since that is what readers meet too."""
    from lakehouse import publish

    try:
        served = publish.served(lake)
    except (LakehouseError, psycopg2.Error) as error:
        return f"cannot be told: {first_line(error)}"
    if served is None:
        return "nothing yet"
    since = f"{served.published_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return f"the marts as of {served.as_of_date}, of run {served.run_id}, since {since}"


@contextmanager
def _book(lake: Settings) -> Iterator[_Book]:
    """The log, for one process at a time: of two that meet the same incident one tells it."""
    path = lake.home / "alerts.log"
    with path.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield _Book(path)


class _Book:
    """The log of alerts: a JSON object a line, read to know what was told already."""

    def __init__(self, path: Path) -> None:
        self.path = path
        text = path.read_text("utf8") if path.exists() else ""
        self.lines: list[dict[str, Any]] = [_parsed(line) for line in text.splitlines()]

    def add(self, kind: str, said: Mapping[str, Any]) -> None:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        with self.path.open("a", encoding="utf8") as file:
            file.write(json.dumps({"at": at, "kind": kind} | dict(said)) + "\n")


def _parsed(line: str) -> dict[str, Any]:
    """A line that a full disk cut short names no incident."""
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError:
        return {}
    return found
