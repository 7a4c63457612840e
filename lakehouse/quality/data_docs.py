"""Data Docs: what was expected of the data and what was found, run by run, as pages to look at.

Pages of our own, from `ops.quality_results`: those of Great Expectations fetch their style from
other hosts, and know neither failing keys nor drift nor an error (ADR 14).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import cursor as Cursor

from lakehouse import ops
from lakehouse.errors import LakehouseError, first_line
from lakehouse.progress import log
from lakehouse.quality.outcomes import OPEN
from lakehouse.settings import Settings

KEPT_RUNS = 30
"""So many of the newest runs have a page; older ones stay in ops.quality_results."""
FOLDER = "data_docs"
TEMPLATE = Path(__file__).with_name("data_docs.html.j2")

RUNS = """
    select run_id, max(recorded_at), max(gates.as_of_date), bool_or(gates.passed_at is not null),
        (select obj_description(to_regnamespace('marts'), 'pg_namespace'))
    from ops.quality_results left join ops.gates using (run_id)
    group by run_id order by max(recorded_at) desc limit %s
"""
RESULTS = """
    select run_id, checkpoint, suite, expectation, subject, status, observed, asked, why
    from ops.quality_results where run_id = any(%s) order by checkpoint, suite, subject, expectation
"""


@dataclass(frozen=True)
class Result:
    """One outcome, as it was recorded."""

    run_id: str
    checkpoint: str
    suite: str
    expectation: str
    subject: str
    status: str
    observed: dict[str, Any]
    asked: dict[str, Any] | None
    why: str | None

    @property
    def is_wrong(self) -> bool:
        return self.status not in OPEN

    @property
    def bounds(self) -> str:
        """What was asked, without the column that the subject names already."""
        asked = dict(self.asked or {})
        low, high = asked.pop("min_value", None), asked.pop("max_value", None)
        said = [] if low is None and high is None else [f"{_or(low, '…')} to {_or(high, '…')}"]
        about = ("column", "column_A", "column_B", "row_condition")
        asked = {name: value for name, value in asked.items() if name not in about}
        told = [n.replace("_", " ") if v is True else str(v) for n, v in asked.items()]
        return ", ".join(said + told)

    @property
    def failing(self) -> list[dict[str, Any]]:
        """The first of the failing rows, by their keys."""
        return list(self.observed.get("keys", []))

    @property
    def seen(self) -> dict[str, Any]:
        """What was observed, without the keys, which have a table of their own."""
        return {name: value for name, value in self.observed.items() if name != "keys"}


@dataclass(frozen=True)
class Run:
    """What was looked at in one run."""

    run_id: str
    recorded_at: datetime
    as_of_date: object
    passed: bool
    served_run: str | None
    results: tuple[Result, ...] = ()

    @property
    def verdict(self) -> str:
        """What became of it, in a word or two."""
        if self.run_id == self.served_run:
            return "served"
        if any(result.is_wrong for result in self.results):
            return "refused"
        return "passed" if self.passed else "landed"

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How many outcomes there are of each kind."""
        return Counter(result.status for result in self.results).most_common()


@dataclass(frozen=True)
class Site:
    """Where the pages are."""

    page: str
    runs: int


def build(settings: Settings) -> Site:
    """Write the pages of the newest runs, and remove those of older ones."""
    from jinja2 import Environment

    with ops.warehouse(settings) as connection, connection.cursor() as cursor:
        runs = _runs(cursor)
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        TEMPLATE.read_text("utf8")
    )
    folder = settings.home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    pages = {"index.html": template.render(run=None, runs=runs)}
    pages |= {f"{run.run_id}.html": template.render(run=run, runs=runs) for run in runs}
    for name, text in pages.items():
        _write(folder / name, text)
    for path in folder.glob("*.html"):
        if path.name not in pages:
            path.unlink()
    return Site(str(folder / "index.html"), len(runs))


def renew(settings: Settings) -> None:
    """Build the pages after a check; that they cannot be built changes nothing of its verdict."""
    try:
        build(settings)
    except (OSError, LakehouseError, psycopg2.Error) as error:
        log.warning("Data Docs are not renewed: %s", first_line(error))


def _runs(cursor: Cursor) -> list[Run]:
    cursor.execute(RUNS, (KEPT_RUNS,))
    runs = [Run(*row) for row in cursor]
    cursor.execute(RESULTS, ([run.run_id for run in runs],))
    results = [Result(*row) for row in cursor]
    return [
        Run(
            run.run_id,
            run.recorded_at,
            run.as_of_date,
            run.passed,
            run.served_run,
            _of(results, run.run_id),
        )
        for run in runs
    ]


def _of(results: Sequence[Result], run_id: str) -> tuple[Result, ...]:
    return tuple(result for result in results if result.run_id == run_id)


def _write(path: Path, text: str) -> None:
    """Whole or not at all: somebody may be looking at it."""
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text(text, "utf8")
    unfinished.replace(path)


def _or(value: Any, otherwise: str) -> str:
    return otherwise if value is None else str(value)
