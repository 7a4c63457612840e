"""What is measured, each in a process of its own: `python -m bench.tasks NAME ARGUMENT…`.

A task does what it needs first, then works, and prints the seconds of its work and its rows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pandas as pd  # noqa: F401 - pyarrow imports it at its first use: that is start, not work
import psycopg2
import pyarrow.parquet as pq

from bench import gate, model_tasks
from lakehouse import landing
from lakehouse import settings as lakehouse_settings
from lakehouse.erp import company, postgres
from lakehouse.orchestration import chain
from lakehouse.settings import Settings

Answer = tuple[float, int]
MOVEMENTS = """
insert into public.stock_movements (
    stock_movement_id, item_id, tower_id, movement_type, quantity, unit_cost_brl, moved_at, note,
    created_at, updated_at
)
select
    1000000000 + n, lpad((n % 879)::text, 6, '0'), 'BAFRD' || lpad((n % 190)::text, 3, '0'),
    case n % 3 when 0 then 'receipt' else 'issue' end,
    case n % 3 when 0 then 1 else -1 end * (n % 977 + 1) / 8.0, n % 100000 / 100.0,
    timestamptz '2024-10-01 08:00+00' + n * interval '11 seconds',
    case n % 4 when 0 then 'solicitado pela equipe de campo, NF ' || n end,
    timestamptz '2024-10-01 08:00+00' + n * interval '11 seconds',
    timestamptz '2024-10-01 08:00+00' + n * interval '11 seconds'
from generate_series({}, {}) as n
"""

DROP_SLOTS = "select count(pg_drop_replication_slot(slot_name)) from pg_replication_slots"
MARK = "timestamptz '1999-01-01 00:00:00+00'"
"""Rows that were committed to be timed were made, so they say, at this moment."""
MARKED = (
    ("suppliers", "'{n}', 'FORNECEDOR', null, 'BR', 'BA', true"),
    ("items", "'{n}', 'FITA', 'EPI', 'UN', 1, 'A', false, null"),
    (
        "item_suppliers",
        "{n}, '{item}', (select min(supplier_id) from suppliers), 1, 1, 1, 5,"
        " date '1999-01-01' + {n} % 30000, null",
    ),
    ("towers", "'{n}', 'SITE', 'macro', 'BA', 'Salvador', -12.9, -38.5, '{tower}'"),
    ("contracts", "'{n}', 'ATC', 'preventiva', 'gold', 99.5, 1000, 5"),
    ("stock_movements", "{n}, '{item}', '{tower}', 'receipt', 1, 1, now(), null"),
    (
        "orders",
        "{n}, null, '{item}', (select min(supplier_id) from suppliers), '{tower}', null,"
        " 1, 1, null, null, null, null, 'open'",
    ),
    ("work_orders", "{n}, '{tower}', null, 'corrective', 'electrical', now(), null, 8, null"),
    ("outages", "{n}, '{tower}', null, now(), null, 'power'"),
    ("goods_receipts", "{n}, (select min(order_id) from orders), 1, now(), 'NF', null"),
)


def fill(settings: Settings, rows: str) -> Answer:
    """A company, and one great table in it."""
    company.create(settings)
    began = time.perf_counter()
    connection = psycopg2.connect(postgres.erp_dsn(settings))
    with closing(connection), connection, connection.cursor() as cursor:
        cursor.execute(MOVEMENTS.format(1, rows))
    return time.perf_counter() - began, int(rows)


def live(settings: Settings, scale: str, days: str) -> Answer:
    """A company of this size lives so many business days."""
    company.create(settings, scale=float(scale))
    began = time.perf_counter()
    company.advance(settings, days=int(days))
    return time.perf_counter() - began, _changed_rows(settings)


def step(settings: Settings, name: str) -> Answer:
    """One step of the chain."""
    began = time.perf_counter()
    counts = chain.run_step(settings, name)
    seconds = time.perf_counter() - began
    rows = counts.get("snapshot_rows", 0) + counts.get("changes", 0) + counts.get("rows", 0)
    return seconds, rows


def full_load(settings: Settings) -> Answer:
    """From PostgreSQL to bronze: the snapshot, then the load."""
    seconds, rows = step(settings, "extract")
    more, loaded = step(settings, "bronze")
    if loaded < rows:
        raise AssertionError(f"{loaded} of {rows} rows came to bronze")
    return seconds + more, rows


def commit(settings: Settings, kind: str, first: str, rows: str) -> Answer:
    """Add rows to the great table, from this number on: in one transaction, large or small ones."""
    size = {"one": int(rows), "large": 2_000, "small": 1}[kind]
    began = time.perf_counter()
    connection = psycopg2.connect(postgres.erp_dsn(settings))
    connection.autocommit = True
    with closing(connection), connection.cursor() as cursor:
        cursor.execute("set synchronous_commit = off")
        cursor.execute(
            f"do $$ begin for start in {first}..{int(first) + int(rows) - 1} by {size} loop"
            f" {MOVEMENTS.format('start', f'start + {size - 1}')}; commit; end loop; end $$"
        )
        cursor.execute("checkpoint")
    return time.perf_counter() - began, int(rows)


def commit_steadily(settings: Settings, seconds: str, a_second: str) -> Answer:
    """Commit rows that carry a mark, one at a time, at a steady rate, to ten tables in turn."""
    connection = psycopg2.connect(postgres.erp_dsn(settings))
    connection.autocommit = True
    count = int(seconds) * int(a_second)
    with closing(connection), connection.cursor() as cursor:
        cursor.execute("select min(tower_id), (select min(item_id) from items) from towers")
        known = dict(zip(("tower", "item"), cursor.fetchone() or (), strict=True))
        time.sleep(3)  # the follower starts
        began = time.perf_counter()
        for number in range(count):
            table, values = MARKED[number % len(MARKED)]
            row = values.format(n=900_000_000 + number, **known)
            cursor.execute(f"insert into {table} values ({row}, {MARK}, {MARK})")
            time.sleep(max(0.0, began + (number + 1) / int(a_second) - time.perf_counter()))
        took = time.perf_counter() - began
    time.sleep(5)  # the last ones arrive
    return took, count


def keep_slot(settings: Settings) -> Answer:
    """Remember where the reader's slot stands."""
    return _copied(settings, "lakehouse", "kept")


def copy_slot(settings: Settings, name: str) -> Answer:
    """A slot that stands where the kept one does, in the place of what had its name."""
    return _copied(settings, "kept", name)


def drop_slots(settings: Settings) -> Answer:
    """Forget every reader on the server's side."""
    return 0.0, _number(settings, DROP_SLOTS)


def receive(settings: Settings, slot: str, rows: str) -> Answer:
    """PostgreSQL's own client receives the same log and throws it away."""
    end = _text(settings, "select pg_current_wal_flush_lsn()")
    command = [
        str(postgres.binaries() / "pg_recvlogical"),
        *("--dbname", postgres.erp_dsn(settings), "--slot", slot, "--start", "--no-loop"),
        *("--endpos", end, "--file", os.devnull),
        *("--option", "proto_version=2", "--option", "streaming=on"),
        *("--option", "publication_names=lakehouse", "--option", "messages=true"),
    ]
    began = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - began, int(rows)


def copy(settings: Settings, table: str) -> Answer:
    """PostgreSQL's own COPY in binary form, thrown away by psql."""
    psql = postgres.binaries() / "psql"
    command = f"copy public.{table} to stdout (format binary)"
    began = time.perf_counter()
    with Path(os.devnull).open("wb") as nowhere:
        subprocess.run(
            [psql, postgres.erp_dsn(settings), "-c", command], stdout=nowhere, check=True
        )
    seconds = time.perf_counter() - began
    return seconds, _number(settings, f"select count(*) from public.{table}")


def rewrite(settings: Settings) -> Answer:
    """pyarrow alone: the rows of all landing files into zstd Parquet, one file each."""
    rows = 0
    began = time.perf_counter()
    for number, file in enumerate(landing.list_files(settings)):
        out = settings.home / f"rewritten-{number}.parquet"
        with (
            pq.ParquetFile(file.path) as parquet,
            pq.ParquetWriter(out, parquet.schema_arrow, compression="zstd") as writer,
        ):
            for batch in parquet.iter_batches(122_880):
                writer.write_batch(batch)
                rows += batch.num_rows
        out.unlink()
    return time.perf_counter() - began, rows


def _changed_rows(settings: Settings) -> int:
    time.sleep(1.5)  # the statistics arrive a second after the commit
    counts = "select sum(n_tup_ins + n_tup_upd + n_tup_del) from pg_stat_user_tables"
    return _number(settings, f"{counts} where schemaname = 'public'")


def _copied(settings: Settings, source: str, name: str) -> Answer:
    _number(settings, f"{DROP_SLOTS} where slot_name = '{name}'")
    _text(settings, f"select pg_copy_logical_replication_slot('{source}', '{name}')")
    return 0.0, 1


def _number(settings: Settings, query: str) -> int:
    return int(_text(settings, query))


def _text(settings: Settings, query: str) -> str:
    connection = psycopg2.connect(postgres.erp_dsn(settings))
    with closing(connection), connection, connection.cursor() as cursor:
        cursor.execute(query)
        [(found,)] = cursor.fetchall()
    return str(found)


_WORK = (fill, live, step, full_load, copy, rewrite, receive, commit, commit_steadily)
_SLOTS = (keep_slot, copy_slot, drop_slots)
TASKS: dict[str, Callable[..., Answer]] = {
    **{task.__name__: task for task in (*_WORK, *_SLOTS)},
    **model_tasks.TASKS,
    **gate.TASKS,
}

if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    found, handled = TASKS[name](lakehouse_settings.load(), *arguments)
    sys.stdout.write(json.dumps({"seconds": found, "rows": handled}) + "\n")
