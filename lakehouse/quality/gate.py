"""The gate: what stands in `marts_next` passes all its expectations, or is not served."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from psycopg2.extensions import connection as Connection

from lakehouse import ops
from lakehouse.erp import postgres
from lakehouse.errors import RefusedError
from lakehouse.quality import checkpoint, suites
from lakehouse.quality.checkpoint import ERROR, PASSED, Outcome
from lakehouse.settings import PROJECT, Settings

EXPECTATIONS = PROJECT / "expectations"
CHECKPOINT = "marts"
SCHEMA = "marts_next"
NAMED = 3
"""So many of what is wrong stand in the message; all of it stands in ops.quality_results."""

STAGED = """
    select obj_description(to_regnamespace(%s), 'pg_namespace'), staged_at,
        (select array_agg(tablename::text order by 1) from pg_tables where schemaname = %s)
    from (values (1)) as one left join ops.gates on run_id = %s
"""


@dataclass(frozen=True)
class Checked:
    """So many expectations were checked, and all passed."""

    expectations: int


def check(settings: Settings, *, run_id: str, expectations: Path = EXPECTATIONS) -> Checked:
    """Check the staged marts of this run; they may be served only after it."""
    with ops.warehouse(settings) as connection:
        staged_at, marts = _staged(connection, run_id)
    asked = suites.load(expectations, CHECKPOINT)
    present = tuple(each for each in asked.validations if each.asset in marts)
    outcomes = _unmatched(marts, asked)
    outcomes += checkpoint.run(
        replace(asked, validations=present), postgres.warehouse_dsn(settings), SCHEMA
    )
    wrong = [outcome for outcome in outcomes if outcome.status != PASSED]
    with ops.warehouse(settings) as connection:
        if _staged(connection, run_id)[0] != staged_at:
            raise RefusedError(
                f"the marts of run {run_id} were staged anew while they were checked",
                hint="run `lakehouse gate`, once at a time",
            )
        _record(connection, run_id, outcomes, passed=not wrong)
    if wrong:
        raise _closed(run_id, wrong)
    return Checked(len(outcomes))


def _staged(connection: Connection, run_id: str) -> tuple[datetime, list[str]]:
    """When the marts were staged, and which ones, if they are those of this run."""
    with connection.cursor() as cursor:
        cursor.execute(STAGED, (SCHEMA, SCHEMA, run_id))
        staged_run, staged_at, marts = cursor.fetchone() or (None, None, None)
    if staged_run != run_id or staged_at is None:
        raise RefusedError(
            f"the marts of run {run_id} cannot be checked: {SCHEMA} "
            + (f"holds those of run {staged_run}" if staged_run else "is not there"),
            hint="run `lakehouse gate`: it copies the marts, then checks them",
        )
    return staged_at, marts or []


def _unmatched(marts: Sequence[str], asked: suites.Checkpoint) -> list[Outcome]:
    """A mart of which nothing is asked would be served unseen, and a suite without one is blind."""
    known = [validation.asset for validation in asked.validations]
    why = {mart: f"no suite in checkpoints/{CHECKPOINT}.yml" for mart in marts if mart not in known}
    why |= {mart: "the mart was not staged" for mart in known if mart not in marts}
    return [
        Outcome(mart, "checkpoint", mart, ERROR, {"exception": reason})
        for mart, reason in why.items()
    ]


def _record(
    connection: Connection, run_id: str, outcomes: Sequence[Outcome], *, passed: bool
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("delete from ops.quality_results where run_id = %s", (run_id,))
        rows = [{"run_id": run_id} | asdict(outcome) for outcome in outcomes]
        ops.record(connection, "quality_results", rows)
        cursor.execute(
            "update ops.gates set passed_at = case when %s then now() end where run_id = %s",
            (passed, run_id),
        )


def _closed(run_id: str, wrong: Sequence[Outcome]) -> RefusedError:
    sentences = [outcome.sentence for outcome in wrong[:NAMED]]
    if len(wrong) > NAMED:
        sentences.append(f"and {len(wrong) - NAMED} more")
    return RefusedError(
        f"the gate is closed for run {run_id}: {'; '.join(sentences)}",
        hint="the marts published before stay served; every result of this run is in"
        " ops.quality_results; mend the cause, then run `lakehouse run`",
    )
