"""The chain: extract, load, build, test, check, publish, each step recorded in `ops.pipeline_runs`.

A step may be killed at any moment and run again. An interrupted run goes on where it stopped; a
failed or refused one starts anew, because what was wrong may have been mended in the ERP since. A
run that finds nothing new after bronze ends there.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import dropwhile
from types import MappingProxyType
from typing import Any

import psycopg2
from psycopg2.extras import Json

from lakehouse import bronze, cdc, ops, publish, quality, transform
from lakehouse.erp import SOURCE, company
from lakehouse.errors import LakehouseError, RefusedError, first_line
from lakehouse.lock import lake_lock
from lakehouse.orchestration import unchanged
from lakehouse.orchestration.processes import end, spawn
from lakehouse.settings import Settings, export
from lakehouse.transform import dbt_runner

Counts = dict[str, Any]
StepFunction = Callable[[Settings, str], Counts]
Report = Callable[[str, Counts], None]
SKIPPED = "skipped"
ENDED = frozenset({"failed", "refused", SKIPPED})


def _sync(settings: Settings) -> cdc.Synced:
    # A snapshot taken anew must be newer than all that bronze holds, also when landing was emptied.
    above = bronze.last_generation(settings)
    return cdc.sync(settings, erp_contracts(), after_generation=above)


def erp_contracts() -> cdc.Needed:
    """The tables and columns of the ERP that bronze has contracts for."""
    return {
        contract.entity: [column.name for column in contract.columns]
        for contract in bronze.contracts()
        if contract.source == SOURCE
    }


def _demo(settings: Settings, _run_id: str) -> Counts:
    """One more business day; the first time, the company and its first thirteen months."""
    if not company.exists(settings):
        company.create(settings, days=company.HISTORY_DAYS)
    # The slot is made before the first day is lived, so that history is in the change log.
    lived = company.days_lived(settings)
    first = {} if lived else {"snapshot_rows": _sync(settings).snapshot_rows}
    return first | asdict(company.advance(settings, days=1))


def _extract(settings: Settings, _run_id: str) -> Counts:
    return asdict(_sync(settings))


def _bronze(settings: Settings, run_id: str) -> Counts:
    loaded = asdict(bronze.load(settings))
    return loaded | asdict(quality.check_landed(settings, run_id=run_id))


def _dbt_run(settings: Settings, run_id: str) -> Counts:
    reason = unchanged.since(settings)
    now = publish.served(settings)
    if reason is not None and now is not None:
        # Who died between the swap and gold left work that no other run would see.
        return {SKIPPED: reason} | asdict(publish.write_gold(settings, run_id=now.run_id))
    return asdict(transform.dbt_run(settings, run_id=run_id))


def _with_a_build(step: StepFunction) -> StepFunction:
    """Leave out what follows the build, in a run that had nothing to build."""

    def do(settings: Settings, run_id: str) -> Counts:
        query = "select result ->> %s from ops.pipeline_runs where run_id = %s and step = 'dbt_run'"
        with ops.warehouse(settings) as connection, connection.cursor() as cursor:
            cursor.execute(query, (SKIPPED, run_id))
            (reason,) = cursor.fetchone() or (None,)
        return step(settings, run_id) if reason is None else {SKIPPED: reason}

    return do


def _dbt_test(settings: Settings, run_id: str) -> Counts:
    return asdict(transform.dbt_test(settings, run_id=run_id))


def _checkpoint(settings: Settings, run_id: str) -> Counts:
    transform.require_tested(settings)
    quality.check_landed(settings, run_id=run_id)
    staged = asdict(publish.stage(settings, run_id=run_id, inputs=unchanged.inputs(settings)))
    return staged | asdict(quality.check(settings, run_id=run_id))


def _publish(settings: Settings, run_id: str) -> Counts:
    served = asdict(publish.swap(settings, run_id=run_id))
    served |= asdict(publish.write_gold(settings, run_id=run_id))
    quality.renew_data_docs(settings)
    return served


def roll_back(settings: Settings, _run_id: str) -> Counts:
    """Serve the marts before again, and gold with them; after a kill, what is left of that."""
    now = publish.served(settings)
    if now is not None and now.withdrawn_run is not None:
        gold = publish.write_gold(settings, run_id=now.run_id)
        if gold.gold_commits:
            return {"served_run": now.run_id} | asdict(gold)
    back = publish.rollback(settings)
    return asdict(back) | asdict(publish.write_gold(settings, run_id=back.served_run))


DEMO = "demo"
STEPS: Mapping[str, StepFunction] = MappingProxyType(
    {
        "extract": _extract,
        "bronze": _bronze,
        "dbt_run": _dbt_run,
        "dbt_test": _with_a_build(_dbt_test),
        "checkpoint": _with_a_build(_checkpoint),
        "publish": _with_a_build(_publish),
    }
)
ALL_STEPS: Mapping[str, StepFunction] = MappingProxyType({DEMO: _demo, **STEPS})
RUN_PREFIX = "run-"
STEP_PREFIX = "step-"


def run(settings: Settings, *, demo: bool = False, report: Report = lambda *_: None) -> str:
    """Run the whole chain, or what an interrupted run left of it; return the run's id."""
    with lake_lock(settings, "lakehouse run"), _reading_models_ahead(settings):
        run_id, done = _unfinished(settings) or (new_id(RUN_PREFIX), set())
        # From the first step that is not done, whatever comes after it is done again.
        for step in dropwhile(done.__contains__, [DEMO, *STEPS] if demo else STEPS):
            counts = _recorded(settings, step, run_id)
            report(step, counts)
            if SKIPPED in counts:
                break
        return run_id


@contextmanager
def _reading_models_ahead(settings: Settings) -> Iterator[None]:
    """The first time dbt reads its project as long as the extract takes: do both at once."""
    if dbt_runner.has_parsed(settings):
        yield
        return
    log = settings.home / "dbt" / "read-ahead.log"
    log.parent.mkdir(exist_ok=True)
    variables = [f"{name}={value}" for name, value in export(settings).items()]
    reader = spawn(["env", *variables, sys.executable, "-m", "lakehouse.transform"], log)
    try:
        yield
    finally:
        end(reader)


def run_step(
    settings: Settings, step: str, run_id: str | None = None, *, do: StepFunction | None = None
) -> Counts:
    """Run one step, or what `do` does in its name, as Airflow and the single commands do."""
    with lake_lock(settings, f"step {step}"):
        return _recorded(settings, step, run_id or new_id(), do)


def last_run(settings: Settings, run_id: str | None = None) -> list[dict[str, Any]]:
    """The steps of the newest run, or of the one that is named, in the order in which they ran."""
    query = """
        select run_id, step, status, started_at, ended_at, result, error from ops.pipeline_runs
        where run_id = coalesce(%s, (
            select run_id from ops.pipeline_runs where step <> 'maintain'
            order by started_at desc limit 1
        ))
        order by started_at
    """
    with ops.warehouse(settings) as connection, connection.cursor() as cursor:
        cursor.execute(query, (run_id,))
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor]


def _unfinished(settings: Settings) -> tuple[str, set[str]] | None:
    """The newest run of this command, if it was interrupted, and the steps it has done."""
    steps = last_run(settings)
    if not steps or not steps[0]["run_id"].startswith(RUN_PREFIX):
        return None
    status = {row["step"]: row["status"] for row in steps}
    if status.get("publish") == "done" or ENDED & set(status.values()):
        return None
    return steps[0]["run_id"], {step for step, how in status.items() if how == "done"}


def _recorded(settings: Settings, step: str, run_id: str, do: StepFunction | None = None) -> Counts:
    """Run a step and keep a record of it, whatever becomes of it."""
    _record(settings, run_id, step, "running")
    try:
        counts = (do or ALL_STEPS[step])(settings, run_id)
    except Exception as error:
        status = "refused" if isinstance(error, RefusedError) else "failed"
        what = error.what if isinstance(error, LakehouseError) else repr(error)
        try:
            _record(settings, run_id, step, status, error=what)
        except (LakehouseError, psycopg2.Error) as unrecorded:
            # Often for the same reason; the first error is the one to tell.
            error.add_note(f"not recorded in ops.pipeline_runs: {first_line(unrecorded)}")
        raise
    _record(settings, run_id, step, SKIPPED if SKIPPED in counts else "done", result=counts)
    return counts


def _record(
    settings: Settings,
    run_id: str,
    step: str,
    status: str,
    *,
    result: Counts | None = None,
    error: str | None = None,
) -> None:
    statement = """
        insert into ops.pipeline_runs (run_id, step, status, started_at) values (%s, %s, %s, now())
        on conflict (run_id, step) do update set status = excluded.status, result = %s, error = %s,
            started_at = case when excluded.status = 'running' then now()
                else pipeline_runs.started_at end,
            ended_at = case when excluded.status = 'running' then null else now() end
    """
    values = (run_id, step, status, None if result is None else Json(result), error)
    with ops.warehouse(settings) as connection, connection.cursor() as cursor:
        cursor.execute(statement, values)


def new_id(prefix: str = STEP_PREFIX) -> str:
    """A run's id: who started it, when, and a little chance."""
    return f"{prefix}{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
