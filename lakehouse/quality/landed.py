"""Bronze's own check: the shape and volume of what landed since it last passed.

A batch that was refused stays in bronze, which never forgets; it is looked at again with whatever
lands after it, until all of it passes together, or somebody accepts it and says why (`accepting`).
So a run that is simply started again does not get past it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from lakehouse import bronze, ops
from lakehouse.errors import RefusedError
from lakehouse.quality import checkpoint, data_docs, gx, keys, records, suites
from lakehouse.quality.outcomes import ERROR, Outcome
from lakehouse.quality.suites import Suite, Validation
from lakehouse.settings import PROJECT, Settings

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

EXPECTATIONS = PROJECT / "expectations"
CHECKPOINT = "bronze"
PASS = """
    insert into ops.passed_batches values (%s, %s, %s) on conflict (bronze_table) do update
        set batch_id = excluded.batch_id, run_id = excluded.run_id
"""
REFUSE = """
    insert into ops.refused_batches values (%s, %s, %s) on conflict (run_id, bronze_table) do update
        set batch_id = excluded.batch_id
"""


@dataclass(frozen=True)
class Landed:
    """So many tables had something new, and so many expectations were checked of them."""

    checked_tables: int
    checked_expectations: int


def check_landed(settings: Settings, *, run_id: str, expectations: Path = EXPECTATIONS) -> Landed:
    """Check every batch that has not passed yet; where there is none, nothing is imported."""
    newest = {held.table: held.batches for held in bronze.holdings(settings) if held.batches}
    with ops.warehouse(settings) as connection, connection.cursor() as cursor:
        cursor.execute("select bronze_table, batch_id from ops.passed_batches")
        passed = dict(cursor.fetchall())
    unseen = {name: passed.get(name, 0) for name, n in newest.items() if n > passed.get(name, 0)}
    if not unseen:
        return Landed(0, 0)
    asked = suites.load(expectations, CHECKPOINT)
    without = _without_suite(unseen, asked)
    chosen = tuple(each for each in asked.validations if each.asset in unseen)
    asked = replace(asked, validations=chosen)

    def rows_of(validation: Validation) -> pa.Table:
        suite, table = validation.suite, validation.asset
        columns = _columns(suite)
        return bronze.landed_rows(settings, table, unseen[table], columns, suite.sample_rows)

    outcomes = without + checkpoint.run(asked, place(asked, rows_of), checkpoint.Compared())
    wrong = [outcome for outcome in outcomes if outcome.is_wrong]
    table_of = {validation.suite.name: validation.asset for validation in asked.validations}
    bad = {table_of.get(outcome.suite, outcome.suite) for outcome in wrong}
    with ops.warehouse(settings) as connection, connection.cursor() as cursor:
        records.keep(connection, run_id, CHECKPOINT, outcomes)
        for name in unseen.keys() - bad:
            cursor.execute(PASS, (name, newest[name], run_id))
        for name in unseen.keys() & bad:
            cursor.execute(REFUSE, (run_id, name, newest[name]))
    if wrong:
        data_docs.renew(settings)
        raise RefusedError(
            f"what landed in bronze did not pass in run {run_id}: {records.told(wrong)}",
            hint="nothing was built of it, and the marts published before stay served; mend it at"
            " the source, or the suite if that is wrong (docs/gate.md); bronze keeps the rows, so"
            f" `lakehouse gate --accept {run_id} --reason …` lets them through once what is built"
            " of them is right; then run `lakehouse run`",
        )
    return Landed(len(unseen), len(outcomes))


def _without_suite(unseen: Mapping[str, int], asked: suites.Checkpoint) -> list[Outcome]:
    """A table of which nothing is asked would pass unseen."""
    known = {validation.asset for validation in asked.validations}
    why = {"exception": f"no suite in checkpoints/{CHECKPOINT}.yml"}
    return [Outcome(name, "checkpoint", name, ERROR, why) for name in sorted(unseen.keys() - known)]


def place(asked: suites.Checkpoint, rows_of: Callable[[Validation], pa.Table]) -> checkpoint.Place:
    """The batches in memory, one table at a time: as a frame for GX, as Arrow for our queries."""
    by_asset = {validation.asset: validation for validation in asked.validations}
    held: dict[str, pa.Table] = {}

    def read(asset: str) -> pd.DataFrame:
        held.clear()
        held[asset] = rows_of(by_asset[asset])
        frame: pd.DataFrame = held[asset].to_pandas()
        return frame

    def ask(query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect() as connection:
            for asset, rows in held.items():
                connection.register(asset, rows)
            return connection.execute(query).fetchall()

    context = gx.new_context()
    return checkpoint.Place(context, gx.Frames(context, read), keys.identifier("{}"), ask)


def _columns(suite: Suite) -> list[str]:
    """Only what the suite looks at is read."""
    names = list(suite.key)
    for entry in suite.entries:
        names += entry.columns
        condition = entry.kwargs.get("row_condition")
        if condition:
            names.append(condition["column"]["name"])
    return list(dict.fromkeys(names))
