"""The gate: what stands in `marts_next` passes all its expectations, or is not served."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection

from lakehouse import ops
from lakehouse.erp import postgres
from lakehouse.errors import RefusedError
from lakehouse.quality import checkpoint, clock, data_docs, drift, gx, records, suites
from lakehouse.quality.outcomes import DRIFTED, ERROR, Outcome
from lakehouse.settings import PROJECT, Settings

EXPECTATIONS = PROJECT / "expectations"
CHECKPOINT = "marts"
SCHEMA = "marts_next"

STAGED = """
    select obj_description(to_regnamespace(%s), 'pg_namespace'), staged_at, as_of_date,
        (select array_agg(tablename::text order by 1) from pg_tables where schemaname = %s)
    from (values (1)) as one left join ops.gates on run_id = %s
"""


@dataclass(frozen=True)
class Checked:
    """So many expectations were checked, and all passed."""

    expectations: int
    compared_runs: int
    """Published runs that figures were held against; the first run has none."""


@dataclass(frozen=True)
class Waiting:
    """The marts that wait, and what of them tells one staging from another."""

    staged_at: datetime
    as_of_date: date | None
    marts: tuple[str, ...]


def check(settings: Settings, *, run_id: str, expectations: Path = EXPECTATIONS) -> Checked:
    """Check the staged marts of this run; they may be served only after it."""
    with ops.warehouse(settings) as connection, connection.cursor() as cursor:
        waiting = staged(connection, run_id)
        published = drift.published(cursor, CHECKPOINT)
        parameters = clock.parameters(settings, cursor, waiting.as_of_date)
    asked = suites.load(expectations, CHECKPOINT)
    present = tuple(each for each in asked.validations if each.asset in waiting.marts)
    outcomes = _unmatched(waiting.marts, asked)
    outcomes += checkpoint.run(
        replace(asked, validations=present),
        place(postgres.warehouse_dsn(settings), SCHEMA),
        checkpoint.Compared(published, parameters),
    )
    wrong = [outcome for outcome in outcomes if outcome.is_wrong]
    with ops.warehouse(settings) as connection:
        if staged(connection, run_id) != waiting:
            raise RefusedError(
                f"the marts of run {run_id} were staged anew while they were checked",
                hint="run `lakehouse gate`, once at a time",
            )
        _record(connection, run_id, outcomes, passed=not wrong)
    data_docs.renew(settings)
    if wrong:
        raise _closed(run_id, wrong)
    return Checked(len(outcomes), max(map(len, published.values()), default=0))


def place(dsn: str, schema: str) -> checkpoint.Place:
    """The staged marts, for Great Expectations and for our own queries."""

    def ask(query: str) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
            cursor.execute(f"set statement_timeout = {int(checkpoint.LIMIT_S * 1000)}")
            cursor.execute(query)
            return cursor.fetchall()

    context = gx.new_context()
    tables = gx.tables(context, dsn, schema, checkpoint.LIMIT_S)
    return checkpoint.Place(context, tables, f'"{schema}"."{{}}"', ask, tables.close)


def staged(connection: Connection, run_id: str) -> Waiting:
    """When the marts were staged, and which ones, if they are those of this run."""
    with connection.cursor() as cursor:
        cursor.execute(STAGED, (SCHEMA, SCHEMA, run_id))
        staged_run, staged_at, as_of_date, marts = cursor.fetchone() or (None,) * 4
    if staged_run != run_id or staged_at is None:
        raise RefusedError(
            f"the marts of run {run_id} cannot be checked: {SCHEMA} "
            + (f"holds those of run {staged_run}" if staged_run else "is not there"),
            hint="run `lakehouse gate`: it copies the marts, then checks them",
        )
    return Waiting(staged_at, as_of_date, tuple(marts or ()))


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
    records.keep(connection, run_id, CHECKPOINT, outcomes)
    with connection.cursor() as cursor:
        cursor.execute(
            "update ops.gates set passed_at = case when %s then now() end where run_id = %s",
            (passed, run_id),
        )


def _closed(run_id: str, wrong: Sequence[Outcome]) -> RefusedError:
    hint = (
        "the marts published before stay served; every result of this run is in"
        " ops.quality_results; mend the cause, then run `lakehouse run`"
    )
    if all(outcome.status == DRIFTED for outcome in wrong):
        hint += f"; if the figures are right, `lakehouse gate --accept {run_id} --reason …`"
    return RefusedError(f"the gate is closed for run {run_id}: {records.told(wrong)}", hint=hint)
