"""The range of batches that a build works on, in table `ops.run_context` of the engine's database.

A range is frozen before the build, so that rows that land meanwhile wait for the next one. Its
start advances only after everything was built and tested: what failed is done again, whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from lakehouse import duck, engine
from lakehouse.bronze import contracts
from lakehouse.errors import LakehouseError, RefusedError, one_line
from lakehouse.settings import Settings

ANY_BATCH = 2**63 - 1
Range = tuple[int, int]
"""After which batch, up to which."""

LOCAL_TIMEZONE = "America/Sao_Paulo"
SCHEMA = """
create schema if not exists ops;
create table if not exists ops.run_context (
    bronze_table text not null,
    from_batch bigint not null,
    to_batch bigint not null,
    as_of_date date,
    is_built boolean not null,
    is_tested boolean not null
);
create table if not exists ops.built_models (fingerprint text not null);
"""


@dataclass(frozen=True)
class Frozen:
    """What one build works on."""

    new_batches: int
    as_of_date: date | None
    to_batches: Mapping[str, int]
    built_models: str | None
    """The models' fingerprint at the last whole build; empty when there was none."""


def freeze(
    settings: Settings,
    bronze_tables: Iterable[str],
    *,
    again: Mapping[str, Range] | None = None,
    back_to: Mapping[str, int] | None = None,
) -> Frozen:
    """Write the range of each table: from what was last built and tested to the newest batch.

    A rebuild works on the ranges of the build before it `again`; a backfill begins earlier, where
    a table is in `back_to`.
    """
    with engine.database(settings) as connection:
        duck.load(connection, "delta")
        connection.execute(SCHEMA)
        last = _ranges(connection) if again is None else again
        models = _built_models(connection)
        new = {}
        as_of: date | None = None
        for table in sorted(bronze_tables):
            begin, end = last.get(table, (0, 0))
            begin = min(begin, (back_to or {}).get(table, begin))
            newest, day = _read(settings, connection, table, ANY_BATCH if again is None else end)
            new[table] = (begin, newest)
            as_of = max(filter(None, (as_of, day)), default=None)
        connection.begin()
        connection.execute("delete from ops.run_context")
        connection.executemany(
            "insert into ops.run_context values (?, ?, ?, ?, false, false)",
            [[table, begin, end, as_of] for table, (begin, end) in new.items()],
        )
        connection.commit()
    batches = sum(end - begin for begin, end in new.values())
    return Frozen(batches, as_of, {table: end for table, (_, end) in new.items()}, models)


def mark_built(settings: Settings, models: str) -> None:
    """Remember that every model was built over the frozen range, and which models these were."""
    with engine.database(settings) as connection:
        connection.begin()
        connection.execute("update ops.run_context set is_built = true")
        connection.execute("delete from ops.built_models")
        connection.execute("insert into ops.built_models values (?)", [models])
        connection.commit()


def built_models(settings: Settings) -> str | None:
    """The fingerprint of the models of the last whole build."""
    with engine.database(settings) as connection:
        connection.execute(SCHEMA)
        return _built_models(connection)


def advance(settings: Settings) -> bool:
    """Begin the next range where this one ends, if all of it was built; say whether it was."""
    with engine.database(settings) as connection:
        connection.execute(SCHEMA)
        done = connection.execute(
            "update ops.run_context set from_batch = to_batch, is_tested = true where is_built"
        ).fetchone()
    return done is not None and done[0] > 0


def built(settings: Settings) -> dict[str, Range] | None:
    """The ranges of the last build by bronze table; None if it is not whole."""
    with engine.database(settings) as connection:
        connection.execute(SCHEMA)
        return _ranges(connection) if _all(connection, "is_built") else None


def require_tested(settings: Settings) -> None:
    """Refuse marts of which some were built and did not pass their tests since."""
    with engine.database(settings) as connection:
        connection.execute(SCHEMA)
        if not _all(connection, "is_tested"):
            raise RefusedError(
                "the marts were not built and tested as a whole since the last change",
                hint="run `lakehouse transform`, which says what is wrong, then the same again",
            )


def tested(settings: Settings) -> dict[str, int] | None:
    """Up to which batch each table was built and tested; None if not all of it was."""
    if settings.engine == "duckdb" and not settings.duckdb_path.exists():
        return None
    with engine.database(settings) as connection:
        connection.execute(SCHEMA)
        if not _all(connection, "is_tested"):
            return None
        return {table: end for table, (_, end) in _ranges(connection).items()}


def newest(settings: Settings) -> dict[str, int]:
    """The newest batch in bronze of each table that was built before."""
    with engine.database(settings) as connection:
        duck.load(connection, "delta")
        connection.execute(SCHEMA)
        return {
            table: _read(settings, connection, table, ANY_BATCH)[0] for table in _ranges(connection)
        }


def _all(connection: duckdb.DuckDBPyConnection, flag: str) -> bool:
    query = f"select coalesce(bool_and({flag}), false) from ops.run_context"
    return connection.execute(query).fetchone() == (True,)


def _built_models(connection: duckdb.DuckDBPyConnection) -> str | None:
    found = connection.execute("select fingerprint from ops.built_models").fetchone()
    return found[0] if found else None


def _ranges(connection: duckdb.DuckDBPyConnection) -> dict[str, Range]:
    query = "select bronze_table, from_batch, to_batch from ops.run_context"
    return {table: (begin, end) for table, begin, end in connection.execute(query).fetchall()}


def _read(
    settings: Settings, connection: duckdb.DuckDBPyConnection, table: str, end: int
) -> tuple[int, date | None]:
    """The newest batch of a table up to `end`, and the local date of its newest commit."""
    # Of the ERP only: a boundary says what the reader did. Never of a business column or of today.
    committed_at = "_cdc_committed_at" if table.startswith("erp/") else "null::timestamptz"
    query = f"""
        select
            coalesce(max(_batch_id), 0),
            cast(max({committed_at}) at time zone '{LOCAL_TIMEZONE}' as date)
        from delta_scan(?)
        where _batch_id <= ?
    """
    uri = f"{settings.bronze_uri}/{table}"
    if not Path(uri, "_delta_log").is_dir():
        raise LakehouseError(
            f"there is no bronze table {table}",
            hint="run `lakehouse bronze load`: it creates every table that is missing",
        )
    try:
        _require_columns(connection, table, uri)
        found = connection.execute(query, [uri, end]).fetchone()
    except duckdb.Error as error:
        raise LakehouseError(
            f"bronze table {table} cannot be read: {one_line(error)}",
            hint=f"bring its files back from a copy; without one, remove {uri}, then run `lakehouse"
            " bronze load`, which reads landing again, and `lakehouse rebuild`",
        ) from error
    assert found is not None
    return found[0], found[1]


def _require_columns(connection: duckdb.DuckDBPyConnection, table: str, uri: str) -> None:
    """Name a column that bronze has lost, before some model trips over it."""
    promised = [column.name for it in contracts() if it.name == table for column in it.columns]
    described = connection.execute("describe select * from delta_scan(?)", [uri]).fetchall()
    lost = set(promised) - {name for name, *_ in described}
    if lost:
        raise LakehouseError(
            f"bronze table {table} has no column {', '.join(sorted(lost))}, which its contract has",
            hint="bring the table's files back from a copy; without one, remove them, then run"
            " `lakehouse bronze load`, which reads landing again, and `lakehouse rebuild`",
        )
