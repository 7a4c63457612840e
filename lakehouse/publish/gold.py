"""Write the served marts to Delta, for readers that are no database clients."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import DeltaError

from lakehouse import duck, ops
from lakehouse.erp import postgres
from lakehouse.errors import LakehouseError, RefusedError, first_line
from lakehouse.progress import progress
from lakehouse.publish.serving import served
from lakehouse.settings import Settings

BATCH_ROWS = 100_000
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


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
    version = _version(settings, run_id)
    commits = 0
    with (
        duck.in_memory(settings) as engine,
        progress("writing gold", sum(now.marts.values())) as advance,
    ):
        duck.load(engine, "postgres_scanner")
        _attach(engine, postgres.warehouse_dsn(settings))
        for mart, rows in sorted(now.marts.items()):
            try:
                commits += _commit(engine, f"{settings.gold_uri}/{mart}", mart, run_id, version)
            except (DeltaError, duckdb.Error, OSError) as error:
                raise LakehouseError(
                    f"mart {mart} could not be written to {settings.gold_uri}: {first_line(error)}",
                    hint="the marts in PostgreSQL are served; run `lakehouse publish` to try again",
                ) from error
            advance(rows)
    return Gold(commits)


def _attach(engine: duckdb.DuckDBPyConnection, dsn: str) -> None:
    quoted = dsn.replace("'", "''")
    try:
        engine.execute(f"attach '{quoted}' as warehouse (type postgres, read_only)")
    except duckdb.Error:
        # DuckDB's message repeats the whole address, and with it a password.
        raise LakehouseError(
            "the served marts could not be read: DuckDB cannot connect to the warehouse server",
            hint="the marts in PostgreSQL are served; run `lakehouse publish` to try again",
        ) from None


def _version(settings: Settings, run_id: str) -> int:
    """When the marts were staged: the same run staged anew is another version of it."""
    with ops.warehouse(settings) as connection, connection.cursor() as cursor:
        cursor.execute("select staged_at from ops.gates where run_id = %s", (run_id,))
        ((staged_at,),) = cursor.fetchall()
    return int((staged_at - EPOCH) // MICROSECOND)


def _commit(
    engine: duckdb.DuckDBPyConnection, uri: str, mart: str, run_id: str, version: int
) -> bool:
    """Overwrite one table in one commit that carries the run; False if it is already there."""
    table = DeltaTable(uri) if DeltaTable.is_deltatable(uri) else None
    if table is not None and (table.transaction_version(run_id) or 0) >= version:
        return False
    rows = engine.execute(f'from warehouse.marts."{mart}"').to_arrow_reader(BATCH_ROWS)
    write_deltalake(
        table or uri,
        rows,
        mode="overwrite",
        schema_mode="overwrite",
        commit_properties=CommitProperties(
            custom_metadata={"run_id": run_id}, app_transactions=[Transaction(run_id, version)]
        ),
    )
    return True
