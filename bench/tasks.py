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

import psycopg2
import pyarrow.parquet as pq

from lakehouse import landing
from lakehouse import settings as lakehouse_settings
from lakehouse.erp import company, postgres
from lakehouse.orchestration import chain
from lakehouse.settings import Settings

Answer = tuple[float, int]
FILL = """
insert into public.stock_movements (
    stock_movement_id, item_id, tower_id, movement_type, quantity, unit_cost_brl, moved_at, note,
    created_at, updated_at
)
select
    1000000000 + n, lpad((n %% 879)::text, 6, '0'), 'BAFRD' || lpad((n %% 190)::text, 3, '0'),
    case n %% 3 when 0 then 'receipt' else 'issue' end,
    case n %% 3 when 0 then 1 else -1 end * (n %% 977 + 1) / 8.0, n %% 100000 / 100.0,
    timestamptz '2024-10-01 08:00+00' + n * interval '11 seconds',
    case n %% 4 when 0 then 'solicitado pela equipe de campo, NF ' || n end,
    timestamptz '2024-10-01 08:00+00' + n * interval '11 seconds',
    timestamptz '2024-10-01 08:00+00' + n * interval '11 seconds'
from generate_series(1, %s) as n
"""


def fill(settings: Settings, rows: str) -> Answer:
    """A company, and one great table in it."""
    company.create(settings)
    began = time.perf_counter()
    connection = psycopg2.connect(postgres.erp_dsn(settings))
    with closing(connection), connection, connection.cursor() as cursor:
        cursor.execute(FILL, (int(rows),))
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


def drop_slot(settings: Settings) -> Answer:
    """Forget the reader on the server's side."""
    drop = "select count(pg_drop_replication_slot(slot_name)) from pg_replication_slots"
    return 0.0, _number(settings, drop)


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


def _number(settings: Settings, query: str) -> int:
    connection = psycopg2.connect(postgres.erp_dsn(settings))
    with closing(connection), connection, connection.cursor() as cursor:
        cursor.execute(query)
        [(number,)] = cursor.fetchall()
    return int(number)


TASKS: dict[str, Callable[..., Answer]] = {
    task.__name__: task for task in (fill, live, step, full_load, drop_slot, copy, rewrite)
}

if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    found, handled = TASKS[name](lakehouse_settings.load(), *arguments)
    sys.stdout.write(json.dumps({"seconds": found, "rows": handled}) + "\n")
