"""A person accepts that figures are other than they were, and says why; only that, and only then.

What a rule forbids, or what could not be looked at, stays refused: nobody on call at night should
be able to serve it.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json

from lakehouse import ops
from lakehouse.errors import RefusedError
from lakehouse.quality import data_docs
from lakehouse.quality.gate import CHECKPOINT, staged
from lakehouse.quality.outcomes import ACCEPTED, DRIFTED, OPEN
from lakehouse.settings import Settings

FOUND = """
    select subject, status from ops.quality_results
    where run_id = %s and checkpoint = %s and status <> all(%s) order by subject
"""


@dataclass(frozen=True)
class Accepted:
    """Which figures of which run somebody answers for."""

    accepted_run: str
    accepted: list[str]


def accept(settings: Settings, *, run_id: str, reason: str) -> Accepted:
    """Let the staged marts of this run pass, if all that is wrong with them is drift."""
    if not reason.strip():
        raise RefusedError(
            "a drift is accepted by somebody who says why: it needs a reason",
            hint=f"run `lakehouse gate --accept {run_id} --reason '…'`",
        )
    with ops.warehouse(settings) as connection, connection.cursor() as cursor:
        subjects = _drifts(cursor, run_id)
        waiting = staged(connection, run_id)
        cursor.execute(
            "select max(recorded_at) < %s from ops.quality_results"
            " where run_id = %s and checkpoint = %s",
            (waiting.staged_at, run_id, CHECKPOINT),
        )
        if cursor.fetchone() != (False,):
            raise RefusedError(
                f"the marts of run {run_id} were staged anew since they were checked",
                hint="run `lakehouse gate`: it checks what is staged now",
            )
        cursor.execute(
            "update ops.quality_results set status = %s, observed = observed || %s"
            " where run_id = %s and checkpoint = %s and status = %s",
            (ACCEPTED, Json({"accepted": reason}), run_id, CHECKPOINT, DRIFTED),
        )
        ops.record(
            connection,
            "accepted_drifts",
            [{"run_id": run_id, "reason": reason.strip(), "subjects": subjects}],
        )
        cursor.execute("update ops.gates set passed_at = now() where run_id = %s", (run_id,))
    data_docs.renew(settings)
    return Accepted(run_id, subjects)


def _drifts(cursor: Cursor, run_id: str) -> list[str]:
    cursor.execute(FOUND, (run_id, CHECKPOINT, list(OPEN)))
    found = cursor.fetchall()
    if not found:
        raise RefusedError(
            f"run {run_id} has no drift to accept",
            hint="`lakehouse status` names the last run; ops.quality_results has what was found",
        )
    others = [subject for subject, status in found if status != DRIFTED]
    if others:
        raise RefusedError(
            f"what closed the gate for run {run_id} is more than drift: {', '.join(others)}",
            hint="a rule or an error is never accepted: mend the cause, then run `lakehouse run`",
        )
    return [subject for subject, _ in found]
