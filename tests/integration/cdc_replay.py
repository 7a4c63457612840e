"""What the landing files say that the ERP's tables hold, read by rules of their own.

Independent of the reader: plain rows, sorted by `seq`, one after the other, as `rules.md` says.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.extras
import pyarrow.parquet as pq

from lakehouse import landing
from lakehouse.erp import postgres
from lakehouse.settings import Settings, load

KEYS = {
    "items": ("item_id",),
    "towers": ("tower_id",),
    "inventory": ("item_id", "tower_id"),
    "stock_movements": ("stock_movement_id",),
}
Row = dict[str, Any]
Key = tuple[Any, ...]


@contextmanager
def embedded_server() -> Iterator[Settings]:
    """The lake of an embedded PostgreSQL that runs as long as the block."""
    with tempfile.TemporaryDirectory(prefix="lake-") as folder:
        settings = load({"LAKEHOUSE_HOME": f"{folder}/home"})
        try:
            postgres.up(settings)
            # No test here takes the power away, and many clusters share the disk.
            execute(settings, "alter system set fsync = off", "select pg_reload_conf()")
            yield settings
        finally:
            postgres.down(settings)


@contextmanager
def lake_on(server: Settings) -> Iterator[Settings]:
    """A new lake for an ERP of empty tables on that server, which is left without a trace."""
    dsn = postgres.erp_dsn(server)
    with tempfile.TemporaryDirectory(prefix="lake-") as folder:
        settings = load({"LAKEHOUSE_HOME": folder, "ERP_DSN": dsn})
        schema = Path(postgres.__file__).with_name("schema.sql")
        execute(
            settings,
            schema.read_text("utf8"),
            # Four tables of different kinds are enough for the reader.
            "alter publication lakehouse set table items, towers, inventory, stock_movements",
        )
        yield settings
        # A failed test may leave a transaction open, which would hold its tables for ever.
        execute(
            settings,
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()",
        )
        if slot(settings) is not None:
            execute(settings, "select pg_drop_replication_slot('lakehouse')")
        execute(
            settings,
            "drop publication if exists lakehouse; drop schema demo cascade; "
            "drop schema public cascade; create schema public",
        )


def slot(settings: Settings) -> Row | None:
    """The reader's slot, once nobody holds it."""
    while found := ask(settings, "select * from pg_replication_slots"):
        if not found[0]["active"]:
            return found[0]
    return None


def execute(settings: Settings, *statements: str) -> None:
    """Run statements in the ERP, each one a transaction (or several, by its own words)."""
    connection = psycopg2.connect(postgres.erp_dsn(settings))
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    connection.close()


def ask(settings: Settings, query: str) -> list[Row]:
    """The rows of a query in the ERP."""
    connection = psycopg2.connect(postgres.erp_dsn(settings), options="-c timezone=UTC")
    with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
        cursor.execute(query)
        rows = [dict(row) for row in cursor]
    connection.close()
    return rows


def delivered(settings: Settings, entity: str, source: str = "erp") -> list[Row]:
    """Every landed row of an entity in the order of `seq`, with its `seq`."""
    rows: list[Row] = []
    for file in landing.list_files(settings):
        if (file.source, file.entity) == (source, entity):
            rows += pq.read_table(file.path).to_pylist()
    if source == "erp":
        for row in rows:
            phase = 0 if row["_cdc_op"] == "snapshot" else 1
            generation, lsn = row["_airbyte_generation_id"], row["_ab_cdc_lsn"]
            row["seq"] = f"{generation:06d}{phase}{lsn:019d}"
    return sorted(rows, key=lambda row: str(row["seq"]))


def replayed(settings: Settings, entity: str) -> dict[Key, Row]:
    """The latest row of every key that is alive, by the log alone."""
    boundaries = {
        row["seq"] for row in delivered(settings, "boundaries", "_cdc") if row["entity"] == entity
    }
    at: dict[str, list[Row]] = defaultdict(list)
    for row in delivered(settings, entity):
        at[row["seq"]].append(row)
    alive: dict[Key, Row] = {}
    for seq in sorted(at.keys() | boundaries):
        before = alive.copy()
        if seq in boundaries:
            alive.clear()
        by_key: dict[Key, list[Row]] = defaultdict(list)
        for row in at[seq]:
            by_key[tuple(row[name] for name in KEYS[entity])].append(row)
        gone = [key for key, rows in by_key.items() if rows[0]["_cdc_op"] == "delete"]
        for key, rows in by_key.items():
            payloads = {repr(_payload(row)) for row in rows}
            assert len(payloads) == 1, f"{entity} {key} at {seq}: {payloads}"
            if key in gone:
                alive.pop(key, None)
            else:
                origin = gone[0] if len(gone) == 1 else key
                alive[key] = _repaired(rows[0], before.get(key) or before.get(origin))
    return alive


def differences(settings: Settings) -> dict[str, Any]:
    """Where landing and the ERP disagree, both ways; empty when they are equal."""
    found: dict[str, Any] = {}
    for entity, key in KEYS.items():
        erp = {tuple(row[k] for k in key): row for row in ask(settings, f"table {entity}")}
        lake = {
            k: {name: row[name] for name in next(iter(erp.values()), row)}
            for k, row in replayed(settings, entity).items()
        }
        wrong = {
            k: (erp.get(k), lake.get(k))
            for k in erp.keys() | lake.keys()
            if erp.get(k) != lake.get(k)
        }
        if wrong:
            found[entity] = wrong
    return found


def _payload(row: Row) -> Row:
    own = ("_airbyte_raw_id", "_airbyte_extracted_at", "_airbyte_meta")
    return {name: value for name, value in row.items() if name not in own}


def _repaired(row: Row, before: Row | None) -> Row:
    names = (row["_cdc_unchanged"] or "").strip("|").split("|")
    kept = {name: before[name] for name in names if name and before is not None}
    return {**row, **kept}
