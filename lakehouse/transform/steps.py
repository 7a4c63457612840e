"""Build the models and test them, over a frozen range of bronze's batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse import engine, ops
from lakehouse.errors import LakehouseError, failure
from lakehouse.settings import Settings
from lakehouse.transform import bronze_copy, dbt_runner, holidays, models, ranges
from lakehouse.transform.dbt_runner import NodeResult

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

SHOWN_FAILURES = 3
SHOWN_ROWS = 3


@dataclass(frozen=True)
class Built:
    """What a dbt run did."""

    models: int
    new_batches: int
    as_of_date: str | None
    note: str | None = None


@dataclass(frozen=True)
class Tested:
    """What a dbt test found."""

    tests: int
    warnings: int
    advanced: bool
    """Whether the next build begins where this one ended."""


def dbt_run(settings: Settings, *, run_id: str, full_refresh: bool = False) -> Built:
    """Freeze the range and build the models over it; a build that failed is done again whole."""
    return _build(settings, dbt_runner.parse(settings), run_id, full_refresh=full_refresh)


def dbt_test(settings: Settings, *, run_id: str) -> Tested:
    """Test what was built; the range advances only when everything was built and passes."""
    return _test(settings, dbt_runner.parse(settings), run_id)


def transform(
    settings: Settings, *, run_id: str, select: Sequence[str] = (), full_refresh: bool = False
) -> tuple[Built, Tested]:
    """Build, then test, reading the project once; a selection never advances the range."""
    manifest = dbt_runner.parse(settings)
    built = _build(settings, manifest, run_id, select, full_refresh=full_refresh)
    return built, _test(settings, manifest, run_id, select)


def _build(
    settings: Settings,
    manifest: Manifest,
    run_id: str,
    select: Sequence[str] = (),
    *,
    full_refresh: bool = False,
) -> Built:
    frozen = ranges.freeze(settings, dbt_runner.bronze_tables(manifest))
    return build_over(
        settings, manifest, frozen, run_id=run_id, select=select, full_refresh=full_refresh
    )


def build_over(
    settings: Settings,
    manifest: Manifest,
    frozen: ranges.Frozen,
    *,
    run_id: str,
    select: Sequence[str] = (),
    full_refresh: bool = False,
) -> Built:
    """Build the models over a range that is frozen already; changed ones, all of them, anew.

    An increment of a changed model would leave rows of both.
    """
    if settings.engine == "postgres":
        bronze_copy.copy(settings, frozen.to_batches)
    holidays.load(settings, frozen.as_of_date)
    fingerprint, note = models.fingerprint(manifest), None
    if not select and (full_refresh or frozen.built_models != fingerprint):
        engine.drop_models(settings)
        note = "the models changed: built anew" if frozen.built_models else None
    command = ["build", "--resource-type", "model", "--resource-type", "seed"]
    command += ["--full-refresh"] if full_refresh else []
    results = dbt_runner.execute(settings, manifest, "dbt run", [*command, *_selection(select)])
    _record(settings, run_id, results)
    bad = [result for result in results if result.is_bad]
    if bad:
        raise _kind(bad)(
            f"dbt model {_told(bad)}",
            hint="mend the model or what it reads, then run `lakehouse transform`; "
            f"the whole log is {settings.home / 'dbt' / 'logs' / 'dbt.log'}",
        )
    if not select:
        ranges.mark_built(settings, fingerprint)
    as_of = frozen.as_of_date.isoformat() if frozen.as_of_date else None
    return Built(len(results), frozen.new_batches, as_of, note)


def _test(
    settings: Settings, manifest: Manifest, run_id: str, select: Sequence[str] = ()
) -> Tested:
    # Unit tests try the models on made-up rows: they belong to `make test`, not to each day.
    command = ["test", "--exclude-resource-type", "unit_test", *_selection(select)]
    # Nor those that also ask models which were not selected, and may not be there.
    command += ["--indirect-selection", "buildable"] if select else []
    results = dbt_runner.execute(settings, manifest, "dbt test", command)
    _record(settings, run_id, results)
    bad = [result for result in results if result.is_bad]
    if bad:
        rows = "; ".join(
            f"{result.node}: {_failing_rows(settings, result)}"
            for result in bad[:SHOWN_FAILURES]
            if result.status == "fail"
        )
        raise _kind(bad)(
            f"dbt test {_told(bad)}" + (f" -- failing rows: {rows}" if rows else ""),
            hint="mend the rows in the ERP or the model, then run `lakehouse transform`; "
            "until then the marts that are served stay as they are",
        )
    warnings = sum(result.status == "warn" for result in results)
    return Tested(len(results), warnings, not select and ranges.advance(settings))


def _selection(select: Sequence[str]) -> list[str]:
    return ["--select", *select] if select else []


def _kind(bad: Sequence[NodeResult]) -> type[LakehouseError]:
    """Whether it was the server that went; dbt passes on what its driver said, as text only."""
    return failure(" ".join(result.message or "" for result in bad))


def _told(bad: Sequence[NodeResult]) -> str:
    """The first few that went wrong, by name and reason."""
    told = "; ".join(
        f"{result.node} failed: {result.message or result.status}"
        for result in bad[:SHOWN_FAILURES]
    )
    more = len(bad) - SHOWN_FAILURES
    return told + (f"; and {more} more" if more > 0 else "")


def _failing_rows(settings: Settings, result: NodeResult) -> str:
    query = f"select * from ({result.compiled_code}) as failing limit {SHOWN_ROWS}"
    names, rows = engine.ask(settings, query)
    return ", ".join(
        "(" + ", ".join(f"{n}={v}" for n, v in zip(names, row, strict=True)) + ")" for row in rows
    )


def _row_counts(settings: Settings, results: Sequence[NodeResult]) -> dict[str, int]:
    """How many rows each table that was built has."""
    counts = [
        f"select '{result.node}' as node, count(*) as row_count from {result.table}"
        for result in results
        if result.table
    ]
    return dict(engine.ask(settings, " union all ".join(counts))[1]) if counts else {}


def _record(settings: Settings, run_id: str, results: Sequence[NodeResult]) -> None:
    """Keep what became of each node, in PostgreSQL, where a rebuild does not erase it."""
    counts = _row_counts(settings, results)
    rows = [
        {
            "run_id": run_id,
            "node": result.node,
            "kind": result.kind,
            "status": result.status,
            "seconds": result.seconds,
            "row_count": counts.get(result.node),
            "failures": result.failures,
            "message": result.message,
        }
        for result in results
    ]
    with ops.warehouse(settings) as connection:
        ops.record(connection, "dbt_results", rows)
