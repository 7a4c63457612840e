"""Build again what changed in some days, over what bronze holds already."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from lakehouse import duck
from lakehouse.errors import SettingsError
from lakehouse.settings import Settings
from lakehouse.transform import dbt_runner, ranges, steps


@dataclass(frozen=True)
class Backfilled:
    """What was built again: the models, and how many batches of how many tables."""

    models: int
    tables: int
    batches: int
    as_of_date: str | None


def backfill(settings: Settings, *, run_id: str, since: date, until: date) -> Backfilled:
    """Build again whatever changed in the ERP from one day to another, both included.

    A table's batches are taken from the first that holds such a change to the newest: what was
    delivered later builds on it. Histories keep each change once, so a repeated batch adds nothing;
    a backfill that is killed is ended by the next build.
    """
    if since > until:
        raise SettingsError(
            f"the range from {since} to {until} has no day", hint="give the earlier day first"
        )
    manifest = dbt_runner.parse(settings)
    tables = dbt_runner.bronze_tables(manifest)
    back_to = _before_changes(settings, tables, since, until)
    frozen = ranges.freeze(settings, tables, back_to=back_to)
    built = steps.build_over(settings, manifest, frozen, run_id=run_id)
    return Backfilled(built.models, len(back_to), frozen.new_batches, built.as_of_date)


def _before_changes(
    settings: Settings, tables: Iterable[str], since: date, until: date
) -> dict[str, int]:
    """The batch before the first with a change of these days, of each table that has one."""
    found = {}
    with duck.in_memory(settings) as connection:
        duck.load(connection, "delta")
        for table in sorted(tables):
            # The ERP's change log has days; a boundary counts with the rows it touches.
            if not table.startswith("erp/"):
                continue
            row = connection.execute(
                "select min(_batch_id) - 1 from delta_scan(?)"
                " where cast(_cdc_committed_at at time zone ? as date) between ? and ?",
                [f"{settings.bronze_uri}/{table}", ranges.LOCAL_TIMEZONE, since, until],
            ).fetchone()
            if row is not None and row[0] is not None:
                found[table] = row[0]
    return found
