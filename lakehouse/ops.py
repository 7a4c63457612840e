"""The records of our own runs, in schema `ops` of the warehouse server.

`published` has a row each time other marts began to be served, numbered by `publication`, which
grows even when the clock does not; a rollback names the run whose marts it withdrew.

They live in PostgreSQL and not in the engine's database, so that a rebuild does not erase its own
history. Only the tables, the way to them and a plain insert: what a record means is said by the
module that writes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json, execute_values

from lakehouse.erp import postgres
from lakehouse.errors import LakehouseError, first_line
from lakehouse.settings import Settings

SCHEMA = """
create schema if not exists ops;
create table if not exists ops.pipeline_runs (
    run_id text, step text, status text not null, started_at timestamptz not null,
    ended_at timestamptz, result jsonb, error text, primary key (run_id, step)
);
create table if not exists ops.dbt_results (
    run_id text, node text, kind text, status text not null, seconds double precision,
    failures bigint, message text, recorded_at timestamptz not null default now()
);
create table if not exists ops.quality_results (
    run_id text, suite text, expectation text, subject text, status text not null,
    observed jsonb, recorded_at timestamptz not null default now()
);
create table if not exists ops.gates (
    run_id text primary key, as_of_date date, staged_at timestamptz not null default now(),
    marts jsonb not null, passed_at timestamptz
);
create table if not exists ops.published (
    run_id text not null, as_of_date date, marts jsonb not null,
    published_at timestamptz not null default now()
);
alter table ops.dbt_results add column if not exists row_count bigint;
create table if not exists ops.passed_batches (
    bronze_table text primary key, batch_id bigint not null, run_id text not null
);
create table if not exists ops.refused_batches (
    run_id text, bronze_table text, batch_id bigint not null, primary key (run_id, bronze_table)
);
create table if not exists ops.accepted_drifts (
    run_id text not null, reason text not null, subjects jsonb not null,
    accepted_at timestamptz not null default now()
);
alter table ops.quality_results add column if not exists checkpoint text not null default 'marts';
alter table ops.quality_results add column if not exists asked jsonb;
alter table ops.quality_results add column if not exists why text;
alter table ops.gates add column if not exists inputs text;
alter table ops.published add column if not exists inputs text;
alter table ops.published add column if not exists withdrawn_run text;
alter table ops.published add column if not exists publication bigint;
update ops.published set publication = (extract(epoch from published_at) * 1000000)::bigint
    where publication is null;
"""
# On the schema itself: a lake that an older version made gets what is new, once.
VERSION = hashlib.sha256(SCHEMA.encode()).hexdigest()[:12]


@contextmanager
def warehouse(settings: Settings) -> Iterator[Connection]:
    """One transaction on the warehouse server, with schema `ops` in place."""
    try:
        connection = psycopg2.connect(postgres.warehouse_dsn(settings), connect_timeout=10)
    except psycopg2.OperationalError as error:
        raise LakehouseError(
            f"the warehouse server cannot be reached: {first_line(error)}",
            hint="run `lakehouse up`, or set WAREHOUSE_DSN to a server that runs",
        ) from error
    try:
        # By itself, so that two transactions of one process never wait for each other there.
        with connection, connection.cursor() as cursor:
            _make_schema(cursor)
        with connection:
            yield connection
    finally:
        connection.close()


def _make_schema(cursor: Cursor) -> None:
    cursor.execute("select obj_description(to_regnamespace('ops'), 'pg_namespace')")
    if cursor.fetchone() != (VERSION,):
        cursor.execute("select pg_advisory_xact_lock(hashtext('lakehouse.ops'))")
        cursor.execute(SCHEMA)
        cursor.execute("comment on schema ops is %s", (VERSION,))


def record(connection: Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append rows, all with the columns of the first, in the caller's transaction.

    A value that is a dict or a list goes into a column of JSON.
    """
    if not rows:
        return
    columns = list(rows[0])
    values = [
        tuple(Json(row[c]) if isinstance(row[c], dict | list) else row[c] for c in columns)
        for row in rows
    ]
    with connection.cursor() as cursor:
        execute_values(cursor, f"insert into ops.{table} ({', '.join(columns)}) values %s", values)
