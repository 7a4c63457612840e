"""How fast the change log is landed, beside what PostgreSQL itself takes to send it.

`python bench/cdc.py` prints one JSON object: seconds of each, and the ratio of peer to ours.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import click
import psycopg2

from lakehouse import bronze, cdc
from lakehouse.cdc import state
from lakehouse.erp import cluster, company, postgres
from lakehouse.orchestration import chain
from lakehouse.settings import Settings, export, load

ROWS = 1_000_000
BATCH = 2_000
TABLE = """
create table public.movements (
    movement_id bigint primary key, item_id text not null, tower_id text not null,
    movement_type text not null, quantity numeric(14, 3) not null,
    unit_cost_brl numeric(12, 2) not null, moved_at timestamptz not null, note text,
    created_at timestamptz not null, updated_at timestamptz not null
)
"""
ROW = """
    i, lpad((i % 9973)::text, 6, '0'), 'BA' || i % 267, 'issue', -(i % 1000) / 8.0,
    (i % 5000) / 100.0, timestamptz '2024-10-01 12:00Z' + i * interval '1 second',
    case when i % 3 = 0 then 'remark ' || i end, now(), now()
"""
PEER = "bench_peer"
SYNC = """
import json, resource, sys, time
from lakehouse import cdc, settings
began = time.perf_counter()
cdc.sync(settings.load())
took = time.perf_counter() - began
print(json.dumps([took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def main() -> None:
    """Measure on an embedded server of its own."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    result = on_a_server(lambda settings: measure(settings, rows))
    result["commit to bronze"] = on_a_server(latency)
    click.echo(json.dumps(result, indent=2))


def on_a_server(do: Callable[[Settings], dict[str, Any]]) -> dict[str, Any]:
    """Do something on an embedded server of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        settings = load({"LAKEHOUSE_HOME": f"{folder}/home"})
        try:
            postgres.up(settings)
            return do(settings)
        finally:
            postgres.down(settings)


def measure(settings: Settings, rows: int) -> dict[str, Any]:
    """Drains and a snapshot, each beside its peer."""
    execute(
        settings, TABLE, f"insert into movements select {ROW} from generate_series(1, {rows}) i"
    )
    execute(settings, "create publication lakehouse for table movements", "vacuum movements")
    execute(settings, "checkpoint")
    copied = copy_binary(settings)
    snapshot, memory = ours(settings)
    result: dict[str, Any] = {
        "snapshot": figures(copied, snapshot, memory),
    }
    create = "select pg_create_logical_replication_slot(%s, 'pgoutput')"
    changes: dict[str, Callable[[int], object]] = {
        "large transactions": lambda first: large(settings, first, rows),
        "one transaction": lambda first: execute(
            settings,
            f"insert into movements select {ROW} from generate_series({first}, "
            f"{first + rows - 1}) i",
        ),
        "small transactions": lambda first: small(settings, first, rows),
    }
    for number, (name, change) in enumerate(changes.items(), start=1):
        execute(settings, create.replace("%s", f"'{PEER}'"))
        change(number * rows + 1)
        execute(settings, "checkpoint")
        peer = recvlogical(settings)
        execute(settings, f"select pg_drop_replication_slot('{PEER}')")
        took, memory = ours(settings)
        result[name] = figures(peer, took, memory)
    return result


def latency(
    settings: Settings, seconds: float = 20.0, commits_a_second: int = 200
) -> dict[str, float]:
    """From a commit in the demo ERP to its row in bronze, while the follower runs."""
    company.create(settings)
    tables = list(chain.erp_contracts())
    visible = list[tuple[int, float]]()
    with ProcessPoolExecutor(1) as pool:

        def loaded() -> None:
            known = state.load(settings)
            bronze.load(settings)
            visible.append((known.position if known else 0, time.time()))

        cdc.sync(settings)
        dsn = postgres.erp_dsn(settings)
        written = pool.submit(write_commits, dsn, tables, seconds, commits_a_second)
        cdc.follow(settings, loaded, stop=written.done)
        commits = written.result()
    latencies = sorted(
        next(when for position, when in visible if position >= lsn) - at for lsn, at in commits
    )
    return {
        "commits": len(commits),
        "commits_a_second": round(len(commits) / seconds),
        "tables": len(tables),
        "p50_s": round(latencies[len(latencies) // 2], 2),
        "p95_s": round(latencies[len(latencies) * 95 // 100], 2),
    }


def write_commits(
    dsn: str, tables: list[str], seconds: float, commits_a_second: int
) -> list[tuple[int, float]]:
    """Commit an update of some row at a steady pace; where and when each was."""
    connection = psycopg2.connect(dsn)
    commits = []
    with connection.cursor() as cursor:
        began = time.time()
        for number in range(int(seconds * commits_a_second)):
            time.sleep(max(0.0, began + number / commits_a_second - time.time()))
            table = tables[number % len(tables)]
            cursor.execute(
                f"update {table} set updated_at = now() where ctid = (select ctid from {table} "
                f"offset {number % 50} limit 1); commit; "
                "select (pg_current_wal_insert_lsn() - '0/0')::bigint"
            )
            ((lsn,),) = cursor.fetchall()
            commits.append((lsn, time.time()))
            connection.commit()
    connection.close()
    time.sleep(3)  # the follower ends when this does, and shall have seen the last one
    return commits


def figures(peer: float, took: float, memory: float) -> dict[str, float]:
    return {
        "peer_s": round(peer, 2),
        "ours_s": round(took, 2),
        "ratio": round(peer / took, 2),
        "memory_mb": round(memory),
    }


def ours(settings: Settings) -> tuple[float, float]:
    """One sync in a process of its own: seconds, and its most memory in MB."""
    done = subprocess.run(
        [sys.executable, "-c", SYNC],
        env=export(settings),
        check=True,
        capture_output=True,
        text=True,
    )
    took, memory = json.loads(done.stdout)
    return took, memory


def large(settings: Settings, first: int, rows: int) -> None:
    """Transactions of some thousand rows."""
    for start in range(first, first + rows, BATCH):
        execute(
            settings,
            f"insert into movements select {ROW} from generate_series({start}, {start + BATCH - 1})"
            " i",
        )


def small(settings: Settings, first: int, rows: int) -> None:
    """A transaction a row."""
    loop = f"""
        do $$ begin for n in {first}..{first + rows - 1} loop
            insert into movements select {ROW} from (values (n)) as one (i); commit;
        end loop; end $$
    """
    execute(settings, "set synchronous_commit = off; ", loop)


def recvlogical(settings: Settings) -> float:
    """What PostgreSQL's own client takes to receive the same and forget it."""
    end = execute(settings, "select pg_current_wal_flush_lsn()")
    command = [
        str(cluster.binaries() / "pg_recvlogical"),
        *("--dbname", postgres.erp_dsn(settings), "--slot", PEER, "--start", "--file", "/dev/null"),
        *("--endpos", str(end), "--option", "proto_version=2", "--option", "streaming=on"),
        *("--option", "publication_names=lakehouse", "--option", "messages=true", "--no-loop"),
    ]
    began = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - began


def copy_binary(settings: Settings) -> float:
    """One COPY of the table, in binary, to nowhere."""
    connection = psycopg2.connect(postgres.erp_dsn(settings))
    with connection.cursor() as cursor, Path("/dev/null").open("wb") as nowhere:
        began = time.perf_counter()
        cursor.copy_expert("copy movements to stdout (format binary)", nowhere)
        took = time.perf_counter() - began
    connection.close()
    return took


def execute(settings: Settings, *statements: str) -> object:
    """Run statements, each one a transaction; the last one's first value, if it has any."""
    connection = psycopg2.connect(postgres.erp_dsn(settings))
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        row = cursor.fetchone() if cursor.description else None
    connection.close()
    return row[0] if row else None


if __name__ == "__main__":
    main()
