"""What Airflow's tasks run: the steps of the chain, and the work that is not part of each day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date
from functools import partial
from types import MappingProxyType
from typing import Any

from lakehouse import sources, transform
from lakehouse.bronze.maintenance import maintain
from lakehouse.errors import SettingsError
from lakehouse.orchestration import chain
from lakehouse.orchestration.chain import SKIPPED, Counts
from lakehouse.settings import Settings

RANGE, FULL_REFRESH, REBUILD = "range", "full_refresh", "rebuild"


def run(settings: Settings, step: str, run_id: str, arguments: Mapping[str, Any]) -> Counts:
    """Run a step, or a job in the same way: under the lake's lock, and recorded in `ops`."""
    job = JOBS.get(step)
    return chain.run_step(settings, step, run_id, do=job and partial(job, **arguments))


def _maintain(settings: Settings, _run_id: str) -> Counts:
    done = maintain(settings, dry_run=False)
    return {
        "tables": len(done),
        "compacted_parts": sum(one.compacted_parts for one in done),
        "removed_files": sum(one.removed_files for one in done),
        "removed_commits": sum(one.removed_commits for one in done),
    }


def _forecasts(settings: Settings, _run_id: str) -> Counts:
    landed = sources.land(settings)
    nothing = {} if landed.deliveries else {SKIPPED: "no delivery that was not landed before"}
    return asdict(landed) | nothing


def backfill(
    settings: Settings, run_id: str, *, how: str, since: str | None, until: str | None
) -> Counts:
    """Build again, over what bronze holds: what changed in a range of days, or everything."""
    if how == REBUILD:
        return asdict(transform.rebuild(settings, run_id=run_id))
    if how == FULL_REFRESH:
        return asdict(transform.dbt_run(settings, run_id=run_id, full_refresh=True))
    first, last = _day("since", since), _day("until", until)
    return asdict(transform.backfill(settings, run_id=run_id, since=first, until=last))


def _day(name: str, text: str | None) -> date:
    try:
        return date.fromisoformat(text or "")
    except ValueError as error:
        raise SettingsError(
            f"{name} is {text!r}, and has to be a day",
            hint="run the backfill again with both days of the range, as 2025-01-31",
        ) from error


JOBS: Mapping[str, Callable[..., Counts]] = MappingProxyType(
    {"maintain": _maintain, "forecasts": _forecasts, "backfill": backfill}
)
