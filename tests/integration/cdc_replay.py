"""What the landing files say that the ERP's tables hold, read by rules of their own.

Independent of the reader: plain rows, sorted by `seq`, one after the other, as `rules.md` says.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.extras
import pyarrow.parquet as pq

from lakehouse import landing
from lakehouse.erp import postgres
from lakehouse.settings import Settings, load
from tests.fixtures.lakes import temporary_lake

SCHEMA = """
create table items (
    item_id text primary key, item_name text not null, family text not null, unit text not null,
    unit_cost_brl numeric(12, 2) not null, criticality text not null, is_service boolean not null,
    description text, created_at timestamptz not null, updated_at timestamptz not null
);
create table towers (
    tower_id text primary key, tower_name text not null, tower_type text not null,
    state text not null, municipality text not null, latitude numeric(9, 6) not null,
    longitude numeric(9, 6) not null, served_by_tower_id text references towers (tower_id),
    created_at timestamptz not null, updated_at timestamptz not null
);
create table inventory (
    item_id text not null references items (item_id),
    tower_id text not null references towers (tower_id),
    current_stock numeric(14, 3) not null, min_stock numeric(14, 3) not null,
    max_stock numeric(14, 3) not null, reorder_point numeric(14, 3) not null,
    created_at timestamptz not null, updated_at timestamptz not null,
    primary key (item_id, tower_id)
);
create table stock_movements (
    stock_movement_id bigint primary key, item_id text not null, tower_id text not null,
    movement_type text not null, quantity numeric(14, 3) not null,
    unit_cost_brl numeric(12, 2) not null, moved_at timestamptz not null, note text,
    created_at timestamptz not null, updated_at timestamptz not null
);
create publication lakehouse for table items, towers, inventory, stock_movements
"""
WHOLE_ERP = Path(postgres.__file__).with_name("schema.sql").read_text("utf8")
Row = dict[str, Any]
Key = tuple[Any, ...]


@contextmanager
def embedded_server() -> Iterator[Settings]:
    """The lake of an embedded PostgreSQL that runs as long as the block."""
    with temporary_lake() as settings:
        postgres.up(settings)
        # No test here takes the power away, and many clusters share the disk.
        execute(settings, "alter system set fsync = off", "select pg_reload_conf()")
        yield settings


@contextmanager
def lake_on(server: Settings, schema: str = SCHEMA) -> Iterator[Settings]:
    """A new lake for an ERP of empty tables on that server, which is left without a trace."""
    dsn = postgres.erp_dsn(server)
    with tempfile.TemporaryDirectory(prefix="lake-") as folder:
        settings = load({"LAKEHOUSE_HOME": folder, "ERP_DSN": dsn})
        execute(settings, schema)
        try:
            yield settings
        finally:
            _empty(settings)


def _empty(settings: Settings) -> None:
    # A failed test may leave a transaction open, which would hold its tables for ever.
    execute(
        settings,
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()",
    )
    for left in ask(settings, "select gid from pg_prepared_xacts"):
        execute(settings, f"rollback prepared '{left['gid']}'")
    if slot(settings) is not None:
        execute(settings, "select pg_drop_replication_slot('lakehouse')")
    execute(
        settings,
        "drop publication if exists lakehouse; drop schema if exists replayed, demo cascade; "
        "drop schema public cascade; create schema public",
    )


def slot(settings: Settings) -> Row | None:
    """The reader's slot, once nobody holds it."""
    while found := ask(settings, "select * from pg_replication_slots"):
        if not found[0]["active"]:
            return found[0]
    return None


def iso(moment: datetime) -> str:
    """A moment as Airbyte writes one, cut to the millisecond."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def towers(first: int, last: int) -> str:
    """Insert so many towers: what changes does not matter."""
    return (
        "insert into towers select 'T' || i, 'n', 'macro', 'BA', 'Salvador', -12.9, -38.5, null, "
        f"now(), now() from generate_series({first}, {last}) i"
    )


def execute(settings: Settings, *statements: str) -> None:
    """Run statements in the ERP, each one a transaction (or several, by its own words)."""
    # A lock that a failed test left shall fail the next one, not make it wait for ever.
    connection = psycopg2.connect(postgres.erp_dsn(settings), options="-c lock_timeout=20s")
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


def keys(settings: Settings) -> dict[str, Key]:
    """Every published table, and its primary key."""
    query = """
        select p.tablename, array_agg(a.attname::text order by a.attnum) as key
        from pg_publication_tables as p
        inner join pg_index as i
            on i.indrelid = format('%I.%I', p.schemaname, p.tablename)::regclass and i.indisprimary
        inner join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
        where p.pubname = 'lakehouse'
        group by p.tablename
    """
    return {row["tablename"]: tuple(row["key"]) for row in ask(settings, query)}


def replayed(settings: Settings, entity: str) -> dict[Key, Row]:
    """The latest row of every key that is alive, by the log alone."""
    names = keys(settings)[entity]
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
            by_key[tuple(row[name] for name in names)].append(row)
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


def differences(settings: Settings) -> dict[str, list[str]]:
    """Where landing and the ERP disagree, both ways, told by PostgreSQL; empty when equal."""
    found = {}
    connection = psycopg2.connect(postgres.erp_dsn(settings))
    with connection, connection.cursor() as cursor:
        cursor.execute("drop schema if exists replayed, demo cascade; create schema replayed")
        for entity in keys(settings):
            # The same columns as now; what an earlier shape had beside them is gone.
            cursor.execute(
                f"create table replayed.{entity} (like public.{entity});"
                f"select * from public.{entity} limit 0"
            )
            names = [column.name for column in cursor.description or ()]
            rows = [
                tuple(row.get(name) for name in names)
                for row in replayed(settings, entity).values()
            ]
            places = ", ".join(f'"{name}"' for name in names)
            psycopg2.extras.execute_values(
                cursor, f"insert into replayed.{entity} ({places}) values %s", rows
            )
            cursor.execute(
                f"""
                (select 'only in the ERP ' || e::text from public.{entity} e
                except all select 'only in the ERP ' || e::text from replayed.{entity} e)
                union all
                (select 'only in landing ' || e::text from replayed.{entity} e
                except all select 'only in landing ' || e::text from public.{entity} e)
                """
            )
            if lines := [line for (line,) in cursor]:
                found[entity] = lines
        cursor.execute("drop schema replayed cascade")
    connection.close()
    return found


def _payload(row: Row) -> Row:
    own = ("_airbyte_raw_id", "_airbyte_extracted_at", "_airbyte_meta")
    return {name: value for name, value in row.items() if name not in own}


def _repaired(row: Row, before: Row | None) -> Row:
    names = (row["_cdc_unchanged"] or "").strip("|").split("|")
    kept = {name: before[name] for name in names if name and before is not None}
    return {**row, **kept}
