"""Write the served marts to Delta, for readers that are no database clients."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import DeltaError

from lakehouse import bridge, duck
from lakehouse.errors import RefusedError, failure, first_line
from lakehouse.progress import progress
from lakehouse.publish.serving import Served, served
from lakehouse.settings import Settings

BATCH_ROWS = 100_000


@dataclass(frozen=True)
class Gold:
    """How many marts got a commit; the others already had this run's."""

    gold_commits: int


def write_gold(settings: Settings, *, run_id: str) -> Gold:
    """Give each served mart one Delta commit; a run that was interrupted adds the missing ones.

    The rows are read from the served marts and not from the engine's database, which the next
    build may already have changed.
    """
    now = served(settings)
    if now is None or now.run_id != run_id:
        raise RefusedError(
            f"run {run_id} is not what is served, so it is not written to gold",
            hint="run `lakehouse publish`: it serves what the gate has passed, then writes gold",
        )
    again = f"run `lakehouse publish{' --rollback' if now.withdrawn_run else ''}` to try again"
    commits = 0
    with (
        duck.in_memory(settings) as engine,
        bridge.attached(engine, settings, read_only=True),
        progress("writing gold", sum(now.marts.values())) as advance,
    ):
        for done, (mart, rows) in enumerate(sorted(now.marts.items())):
            try:
                commits += _commit(engine, f"{settings.gold_uri}/{mart}", mart, now)
            except (DeltaError, duckdb.Error, OSError) as error:
                raise failure(error)(
                    f"mart {mart} could not be written to {settings.gold_uri}: {first_line(error)}"
                    f"; the marts in PostgreSQL are served, gold has {done} of {len(now.marts)}"
                    f" as run {run_id} has them",
                    hint=again,
                ) from error
            advance(rows)
    return Gold(commits)


def _commit(engine: duckdb.DuckDBPyConnection, uri: str, mart: str, now: Served) -> bool:
    """Overwrite one table in one commit that carries the run; False if it is already there."""
    table = DeltaTable(uri) if DeltaTable.is_deltatable(uri) else None
    if table is not None and ((table.transaction_version(now.run_id) or 0) >= now.publication):
        return False
    rows = engine.execute(f'from warehouse.marts."{mart}"').to_arrow_reader(BATCH_ROWS)
    write_deltalake(
        table or uri,
        rows,
        mode="overwrite",
        schema_mode="overwrite",
        commit_properties=CommitProperties(
            custom_metadata={"run_id": now.run_id},
            # A run that is served again, after a rollback or staged anew, is another publication.
            app_transactions=[Transaction(now.run_id, now.publication)],
        ),
    )
    return True
