"""Change data capture: snapshot, drain and following, beside COPY, pg_recvlogical and Debezium.

Every drain reads the same log: the slots are copies of one that is kept where it was made.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from psycopg2.extensions import parse_dsn

from bench import measuring
from bench.latency import seconds_to_bronze
from bench.measuring import PEERS, Measured, Result, below, compared, ours
from lakehouse.erp import postgres
from lakehouse.settings import PROJECT, Settings, export

ROWS = 1_000_000
TABLE = "stock_movements"
MOST_MB = 600.0
DRAINS = {
    "large": "drain of transactions of 2,000 rows",
    "small": "drain of transactions of one row",
    "one": "drain of one transaction of 1 M rows",
}
DEBEZIUM_ROWS = 100_000
"""It is timed on the first of them."""
FOLLOWED_S, A_SECOND = "30", "200"


def results() -> Iterator[Result]:
    """Every row of the table that is about change data capture."""
    with measuring.lake() as lake:
        ours(lake, "fill", str(ROWS))
        yield from _snapshot(lake)
        for number, (kind, what) in enumerate(DRAINS.items(), start=1):
            yield from _drain(lake, kind, what, first=(number + 1) * ROWS)
    with measuring.lake() as lake:
        yield _following(lake)


def _snapshot(lake: Settings) -> Iterator[Result]:
    def fresh() -> Measured:
        for part in ("landing", "cdc"):
            shutil.rmtree(lake.home / part, ignore_errors=True)
        ours(lake, "drop_slots")
        return ours(lake, "step", "extract")

    copies, snapshots = measuring.alternately(lambda: ours(lake, "copy", TABLE), fresh)
    what = "snapshot PostgreSQL → landing"
    yield compared(what, "COPY binary to /dev/null", snapshots, copies, 0.6)


def _drain(lake: Settings, kind: str, what: str, first: int) -> Iterator[Result]:
    ours(lake, "step", "extract")
    ours(lake, "keep_slot")
    ours(lake, "commit", kind, str(first), str(ROWS))
    state = lake.home / "cdc" / "state.json"
    before = state.read_bytes()

    def drain() -> Measured:
        shutil.rmtree(lake.home / "landing")
        state.write_bytes(before)
        ours(lake, "copy_slot", "lakehouse")
        return ours(lake, "step", "extract")

    def receive() -> Measured:
        ours(lake, "copy_slot", "peer")
        return ours(lake, "receive", "peer", str(ROWS))

    peers, drains = measuring.alternately(receive, drain)
    yield compared(what, "pg_recvlogical to /dev/null", drains, peers, 0.75)
    yield below("memory of it", max(one.peak_mb for one in drains), "MB", MOST_MB)
    if kind != "one":
        yield compared(
            what, "Debezium engine, events thrown away", drains[:1], [_debezium(lake)], 10
        )


def _debezium(lake: Settings) -> Measured:
    ours(lake, "copy_slot", "debezium")
    parts = parse_dsn(postgres.erp_dsn(lake))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        task = [
            str(PROJECT / "bench" / "peers" / "debezium.py"),
            *(parts[name] for name in ("host", "port", "user", "passfile", "dbname")),
            *("debezium", str(DEBEZIUM_ROWS), folder),
        ]
        return measuring.run(task, interpreter=str(PEERS))


def _following(lake: Settings) -> Result:
    """Commits at a steady rate over ten tables, while a follower brings them to bronze."""
    ours(lake, "live", "1", "5")
    ours(lake, "step", "extract")
    ours(lake, "step", "bronze")
    command = [sys.executable, "-m", "lakehouse", "cdc", "sync", "--follow"]
    log = Path(lake.home) / "follow.log"
    with log.open("wb") as out, subprocess.Popen(command, env=export(lake), stderr=out) as follower:
        try:
            committed = ours(lake, "commit_steadily", FOLLOWED_S, A_SECOND)
        finally:
            follower.send_signal(signal.SIGTERM)
            follower.wait(60)
    p95, rows = seconds_to_bronze(lake)
    if rows != committed.rows:
        raise measuring.TaskFailedError(f"{rows} of {committed.rows} commits came to bronze")
    rate = committed.rows / committed.seconds
    return below(f"commit → row in bronze, p95, at {rate:.0f} commits/s", p95, "s", 2)
