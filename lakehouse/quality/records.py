"""What the checks found, kept in `ops.quality_results`: one set of rows a run and checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from psycopg2.extensions import connection as Connection

from lakehouse import ops
from lakehouse.quality.outcomes import Outcome

NAMED = 3
"""So many of what is wrong stand in the message; all of it stands in ops.quality_results."""


def keep(connection: Connection, run_id: str, checkpoint: str, outcomes: Sequence[Outcome]) -> None:
    """Keep the outcomes in the place of those of an earlier try of this run."""
    with connection.cursor() as cursor:
        cursor.execute(
            "delete from ops.quality_results where run_id = %s and checkpoint = %s",
            (run_id, checkpoint),
        )
    own = {"run_id": run_id, "checkpoint": checkpoint}
    ops.record(connection, "quality_results", [own | asdict(outcome) for outcome in outcomes])


def told(wrong: Sequence[Outcome]) -> str:
    """The first of what is wrong, and how much more there is."""
    sentences = [outcome.sentence for outcome in wrong[:NAMED]]
    if len(wrong) > NAMED:
        sentences.append(f"and {len(wrong) - NAMED} more")
    return "; ".join(sentences)
