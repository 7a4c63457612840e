"""The lake's own numbers: from PostgreSQL to landing and bronze, and the company that fills it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from psycopg2.extensions import parse_dsn

from bench import measuring
from bench.measuring import PEERS, Measured, Result, below, compared, ours
from lakehouse.erp import postgres
from lakehouse.settings import PROJECT, Settings

ROWS = 3_000_000
TABLE = "stock_movements"
MOST_MB = 600.0
SCALE, DAYS = "30", "10"


def results() -> Iterator[Result]:
    """Every row of the table that is about the lake."""
    with measuring.lake() as lake:
        ours(lake, "fill", str(ROWS))
        yield from _full_load(lake)
        yield from _landing_to_bronze(lake)
    yield from _at_scale()


def _full_load(lake: Settings) -> Iterator[Result]:
    copies, loads, peers = measuring.alternately(
        lambda: ours(lake, "copy", TABLE), lambda: _fresh_load(lake), lambda: _dlt(lake)
    )
    what = "full load PostgreSQL → bronze"
    yield compared(what, "COPY binary to /dev/null", loads, copies, 0.5)
    yield compared(what, "dlt (connectorx → Delta)", loads, peers, 1.5)
    yield below(f"memory of it, {ROWS:,} rows", max(m.peak_mb for m in loads), "MB", MOST_MB)


def _fresh_load(lake: Settings) -> Measured:
    """A first load: no state, no slot, nothing landed."""
    _forget(lake)
    return ours(lake, "full_load")


def _forget(lake: Settings) -> None:
    for part in ("landing", "bronze", "cdc"):
        shutil.rmtree(lake.home / part, ignore_errors=True)
    ours(lake, "drop_slots")


def _dlt(lake: Settings) -> Measured:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        script = str(PROJECT / "bench" / "peers" / "dlt_load.py")
        env = {"BENCH_DSN": dsn_with_password(lake)}
        return measuring.run([script, TABLE, folder], interpreter=str(PEERS), env=env)


def dsn_with_password(lake: Settings) -> str:
    """For peers that read no passfile; the server lives as long as the benchmark."""
    parts = parse_dsn(postgres.erp_dsn(lake))
    password = Path(parts["passfile"]).read_text("utf8").strip().rpartition(":")[2]
    return (
        f"postgresql://{parts['user']}:{quote(password)}@{parts['host']}:{parts['port']}"
        f"/{parts['dbname']}"
    )


def _landing_to_bronze(lake: Settings) -> Iterator[Result]:
    def load() -> Measured:
        shutil.rmtree(lake.home / "bronze", ignore_errors=True)
        return ours(lake, "step", "bronze")

    rewrites, loads = measuring.alternately(lambda: ours(lake, "rewrite"), load)
    peer = "pyarrow, the same rows to zstd Parquet"
    yield compared("landing → bronze", peer, loads, rewrites, 0.5)
    yield below("memory of it", max(m.peak_mb for m in loads), "MB", MOST_MB)


def _at_scale() -> Iterator[Result]:
    """A company thirty times as large: its simulator, then the way of its first days to bronze."""
    with measuring.lake() as lake:
        lived = ours(lake, "live", SCALE, DAYS)
        what = f"{DAYS} days of the company at scale {SCALE}"
        yield Result(what, "", f"{lived.rows / lived.seconds:,.0f} rows/s", "", None, "", True)
        yield below("memory of it", lived.peak_mb, "MB", MOST_MB)
        loaded = ours(lake, "full_load")
        yield below(f"memory of its full load, {loaded.rows:,} rows", loaded.peak_mb, "MB", MOST_MB)
