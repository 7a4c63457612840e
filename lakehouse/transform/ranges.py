"""The range of batches that a build works on, in DuckDB table `ops.run_context`.

A range is frozen before the build, so that rows that land meanwhile wait for the next one. Its
start advances only after everything was built and tested: what failed is done again, whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import duckdb

from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings
from lakehouse.transform.engine import warehouse

LOCAL_TIMEZONE = "America/Sao_Paulo"
SCHEMA = """
create schema if not exists ops;
create table if not exists ops.run_context (
    bronze_table text not null,
    from_batch bigint not null,
    to_batch bigint not null,
    as_of_date date,
    is_built boolean not null
);
"""


@dataclass(frozen=True)
class Frozen:
    """What one build works on: the newest batch by bronze table, and its business date."""

    to_batch: Mapping[str, int]
    new_batches: int
    as_of_date: date | None


def freeze(
    settings: Settings, bronze_tables: Iterable[str], *, at: Mapping[str, int] | None = None
) -> Frozen:
    """Write the range of each table: from what was last built and tested to the newest batch.

    A rebuild says `at` which batch each range ends instead.
    """
    tables = sorted(bronze_tables)
    with warehouse(settings) as connection:
        connection.execute(SCHEMA)
        last = {
            table: (_newest_batch(settings, connection, table) if at is None else at.get(table, 0))
            for table in tables
        }
        as_of = _as_of_date(settings, connection, last)
        connection.begin()
        first = dict(
            connection.execute("select bronze_table, from_batch from ops.run_context").fetchall()
        )
        connection.execute("delete from ops.run_context")
        connection.executemany(
            "insert into ops.run_context values (?, ?, ?, ?, false)",
            [[table, first.get(table, 0), last[table], as_of] for table in tables],
        )
        connection.commit()
    new = sum(last[table] - first.get(table, 0) for table in tables)
    return Frozen(last, new, as_of)


def mark_built(settings: Settings) -> None:
    """Remember that every model was built over the frozen range."""
    with warehouse(settings) as connection:
        connection.execute("update ops.run_context set is_built = true")


def advance(settings: Settings) -> bool:
    """Begin the next range where this one ends, if all of it was built; say whether it was."""
    with warehouse(settings) as connection:
        connection.execute(SCHEMA)
        query = "update ops.run_context set from_batch = to_batch where is_built"
        done = connection.execute(query).fetchone()
    return done is not None and done[0] > 0


def built(settings: Settings) -> dict[str, int] | None:
    """Where the ranges of the last whole build ended; None if the last one is not whole."""
    with warehouse(settings) as connection:
        connection.execute(SCHEMA)
        rows = connection.execute(
            "select bronze_table, to_batch, is_built from ops.run_context"
        ).fetchall()
    if not rows or not all(is_built for _, _, is_built in rows):
        return None
    return {table: to_batch for table, to_batch, _ in rows}


def _newest_batch(settings: Settings, connection: duckdb.DuckDBPyConnection, table: str) -> int:
    try:
        row = connection.execute(
            "select coalesce(max(_batch_id), 0) from delta_scan(?)", [_path(settings, table)]
        ).fetchone()
    except duckdb.Error as error:
        raise LakehouseError(
            f"bronze table {table} cannot be read: {' '.join(str(error).split())}",
            hint="run `lakehouse bronze load`: it creates every table that is missing",
        ) from error
    return int(row[0]) if row else 0


def _as_of_date(
    settings: Settings, connection: duckdb.DuckDBPyConnection, last: Mapping[str, int]
) -> date | None:
    """The local date of the newest commit of the ERP, never of a business column or of today."""
    dates = []
    for table, batch in last.items():
        if not table.startswith("erp/"):
            continue
        row = connection.execute(
            f"select cast(max(_cdc_committed_at) at time zone '{LOCAL_TIMEZONE}' as date)"
            " from delta_scan(?) where _batch_id <= ?",
            [_path(settings, table), batch],
        ).fetchone()
        if row and row[0] is not None:
            dates.append(row[0])
    return max(dates, default=None)


def _path(settings: Settings, table: str) -> str:
    return f"{settings.bronze_uri}/{table}"
