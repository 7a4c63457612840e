"""A person accepts what was refused, and says why; what could not be looked at stays refused.

Of marts only drift is accepted: nobody on call should be able to serve what a rule forbids.
What landed in bronze may be let through, because it cannot be taken back: a wrong row stays there
when its correction comes after it. Nothing is served by that; the marts built of it have their own
tests and their own gate.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json

from lakehouse import ops
from lakehouse.errors import RefusedError
from lakehouse.quality import data_docs, landed
from lakehouse.quality.gate import CHECKPOINT, staged
from lakehouse.quality.outcomes import ACCEPTED, DRIFTED, FAILED, OPEN
from lakehouse.settings import Settings

FOUND = """
    select subject, status from ops.quality_results
    where run_id = %s and checkpoint = %s and status <> all(%s) order by subject
"""


LET_THROUGH = """
    insert into ops.passed_batches
    select bronze_table, batch_id, run_id from ops.refused_batches where run_id = %s
    on conflict (bronze_table) do update
        set batch_id = greatest(passed_batches.batch_id, excluded.batch_id),
            run_id = excluded.run_id
"""
MARK = """
    update ops.quality_results set status = %s, observed = observed || %s
    where run_id = %s and checkpoint = %s and status = %s
"""


@dataclass(frozen=True)
class Accepted:
    """What of which run somebody answers for."""

    accepted_run: str
    accepted: list[str]


def accept(settings: Settings, *, run_id: str, reason: str) -> Accepted:
    """Let what landed in this run be built, or its staged marts pass with their drift."""
    if not reason.strip():
        raise RefusedError(
            "what was refused is accepted by somebody who says why: it needs a reason",
            hint=f"run `lakehouse gate --accept {run_id} --reason '…'`",
        )
    with ops.warehouse(settings) as connection, connection.cursor() as cursor:
        subjects = _found(cursor, run_id, landed.CHECKPOINT, FAILED)
        checkpoint, status = landed.CHECKPOINT, FAILED
        if subjects:
            cursor.execute(LET_THROUGH, (run_id,))
        else:
            subjects = _found(cursor, run_id, CHECKPOINT, DRIFTED)
            checkpoint, status = CHECKPOINT, DRIFTED
            _require_checked(connection, run_id, subjects)
            cursor.execute("update ops.gates set passed_at = now() where run_id = %s", (run_id,))
        cursor.execute(MARK, (ACCEPTED, Json({"accepted": reason}), run_id, checkpoint, status))
        ops.record(
            connection,
            "accepted_drifts",
            [{"run_id": run_id, "reason": reason.strip(), "subjects": subjects}],
        )
    data_docs.renew(settings)
    return Accepted(run_id, subjects)


def _require_checked(connection: Connection, run_id: str, subjects: list[str]) -> None:
    """Refuse a run without drift, and one whose marts are other than those that were checked."""
    if not subjects:
        raise RefusedError(
            f"run {run_id} has nothing to accept",
            hint="`lakehouse status` names the last run; ops.quality_results has what was found",
        )
    waiting = staged(connection, run_id)
    with connection.cursor() as cursor:
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


def _found(cursor: Cursor, run_id: str, checkpoint: str, status: str) -> list[str]:
    """What closed this checkpoint for the run, if all of it is of the kind that may be accepted."""
    cursor.execute(FOUND, (run_id, checkpoint, list(OPEN)))
    found = cursor.fetchall()
    others = [subject for subject, how in found if how != status]
    if others:
        raise RefusedError(
            f"what closed the gate for run {run_id} is more than may be accepted: "
            + ", ".join(others),
            hint="an error, and a rule on marts, is never accepted: mend the cause, then run"
            " `lakehouse run`",
        )
    return [subject for subject, _ in found]
