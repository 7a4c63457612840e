"""A warehouse for the vault macros' cases: made-up deliveries, built batch by batch.

The project is in `vault_project`, over metadata that are not the ERP's.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

PROJECT = Path(__file__).parent / "vault_project"
COLUMNS = """
    part_id text, place_id text, part_name text, seq text, op text, unchanged_columns text,
    committed_at timestamptz, commit_lsn bigint, extracted_at timestamptz, load_ts timestamptz,
    _batch_id bigint
"""
SCHEMA = f"""
create schema raw;
create table raw.shop ({COLUMNS});
create table raw.depot ({COLUMNS});
create table raw.boundaries (
    source_name text, entity_name text, seq text, kind text, committed_at timestamptz,
    commit_lsn bigint, row_count bigint, _batch_id bigint
);
create schema ops;
create table ops.run_context (
    bronze_table text, from_batch bigint, to_batch bigint, as_of_date date
);
insert into ops.run_context values
    ('cases/shop', 0, 0, null), ('cases/depot', 0, 0, null), ('_cdc/boundaries', 0, 0, null);
"""

Row = dict[str, Any]


def day(number: float) -> datetime:
    """A point in the test's own time."""
    return datetime(2024, 10, 1, tzinfo=UTC) + timedelta(days=number)


def row(part: str | None, position: int, name: str | None, **values: Any) -> Row:
    """A delivered change; committed on the day of its position unless said otherwise."""
    return {
        "part_id": part,
        "place_id": "P",
        "part_name": name,
        "seq": f"{position:026d}",
        "op": "upsert",
        "unchanged_columns": None,
        "committed_at": day(position),
        "commit_lsn": position,
        "extracted_at": day(100),
        **values,
    }


class Loads:
    """The database of the cases: delivers, builds, and is asked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.batch = 0
        with duckdb.connect(str(path)) as connection:
            connection.execute(SCHEMA)

    def cycle(self, shop: list[Row], depot: list[Row] | None = None, *, dbt: str = "run") -> None:
        """Deliver one batch and build over exactly that batch."""
        self.batch += 1
        with duckdb.connect(str(self.path)) as connection:
            for table, rows in (("shop", shop), ("depot", depot or [])):
                for each in rows:
                    loaded = each | {"load_ts": day(200 + self.batch), "_batch_id": self.batch}
                    connection.execute(
                        f"insert into raw.{table} by name select "
                        + ", ".join(f"${name} as {name}" for name in loaded),
                        loaded,
                    )
            connection.execute(
                "update ops.run_context set from_batch = to_batch, to_batch = $1", [self.batch]
            )
        invoke(self.path, dbt)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.path), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(query).fetchall()

    def rows_of(self, part: str, satellite: str = "sat_part__shop") -> list[tuple[Any, ...]]:
        """Position and name of each row that the satellite has of a part."""
        return self.ask(
            f"select cast(seq as bigint), part_name from {satellite} inner join hub_part"
            f" using (part_hk) where part_id = '{part}' order by seq, op, part_name"
        )


def invoke(path: Path, *arguments: str) -> None:
    """Run dbt in this process, as the transform does, and let go of the file afterwards."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    os.environ["VAULT_CASES"] = str(path)
    target = path.parent / "target"
    command = [
        *arguments,
        *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
        *("--target-path", str(target), "--log-path", str(path.parent / "logs")),
        *("--log-level", "none", "--no-version-check", "--no-send-anonymous-usage-stats"),
    ]
    try:
        done = dbtRunner().invoke(command)
    finally:
        del os.environ["VAULT_CASES"]
        manager: Any = DuckDBConnectionManager
        if manager._ENV is not None:
            manager.env().close()
            manager.close_all_connections()
    if not done.success:
        nodes: Any = done.result or ()
        failed = [str(node.message) for node in nodes if node.status == "error"]
        raise AssertionError(f"{failed} {_with_causes(done.exception)}")


def _with_causes(error: BaseException | None) -> str:
    """What went wrong and why: dbt wraps the reason into sentences that do not name it."""
    said = []
    while error is not None:
        said.append(str(error))
        error = error.__cause__ or error.__context__
    return " / ".join(said)
