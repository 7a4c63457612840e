"""Drift: today's figures of a mart against those of the runs that were published before."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from psycopg2.extensions import cursor as Cursor

from lakehouse.quality.outcomes import ACCEPTED
from lakehouse.quality.suites import Drift

Figure = tuple[str, str, str]
"""Suite, expectation and subject."""
RUNS = 5
"""So many published runs are looked back at: one odd day among them moves no median."""

PUBLISHED = """
    select suite, expectation, subject, status, (observed ->> 'observed')::double precision
    from ops.quality_results
    join (
        select run_id, max(publication) as publication from ops.published
        where not exists (
            select from ops.published as back
            where back.withdrawn_run = published.run_id and back.publication > published.publication
        )
        group by run_id order by max(publication) desc limit %s
    ) as served using (run_id)
    where checkpoint = %s and jsonb_typeof(observed -> 'observed') = 'number'
    order by publication desc
"""


def published(cursor: Cursor, checkpoint: str) -> dict[Figure, list[float]]:
    """The figures of the last published runs, newest first.

    A run that was withdrawn is no measure until it is published again. What a person accepted is
    how things are from then on: runs before it are looked at no more.
    """
    cursor.execute(PUBLISHED, (RUNS, checkpoint))
    figures: dict[Figure, list[float]] = {}
    closed: set[Figure] = set()
    for suite, expectation, subject, status, value in cursor:
        figure = (suite, expectation, subject)
        if figure not in closed:
            figures.setdefault(figure, []).append(value)
        if status == ACCEPTED:
            closed.add(figure)
    return figures


def band(drift: Drift, history: Sequence[float]) -> tuple[float, float]:
    """From where to where a figure may be: around the middle of what was published."""
    middle = median(history)
    size = abs(middle)
    return (
        middle - max(size * drift.below, drift.slack),
        middle + max(size * drift.above, drift.slack),
    )
