"""From the marts as they were built to what readers see, and a day without a change."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import quantiles

from bench import measuring
from bench.measuring import Measured, Result, below, compared
from lakehouse import duck, ops, publish
from lakehouse import settings as lakehouse_settings
from lakehouse.orchestration import chain
from lakehouse.settings import Settings, export

Answer = tuple[float, int]
RUN = "publish-bench"
SERIES = """
    select inventory_date, sum(quantity_on_hand), bool_or(is_stocked_out)
    from marts.fact_inventory
    where item_id = %s and inventory_date > %s::date - 30 group by 1 order by 1
"""


def results() -> Iterator[Result]:
    """Every row of the table that is about publishing."""
    with measuring.lake() as lake:
        ours(lake, "serve")
        yield from _copied(lake)
        p95 = ours(lake, "series")
        what = f"30-day series of an item from `marts`, p95 over {p95.rows:,} items"
        yield below(what, p95.seconds * 1000, "ms", 100)
        same = ours(lake, "unchanged")
        yield below("a day without a change, whole command", same.seconds, "s", 20)


def ours(lake: Settings, task: str) -> Measured:
    """Run one of the tasks below on a lake."""
    return measuring.run(["-m", "bench.publish", task], env=export(lake))


def _copied(lake: Settings) -> Iterator[Result]:
    copies, bare, stages = measuring.alternately(
        lambda: ours(lake, "copy"), lambda: ours(lake, "copy_bare"), lambda: ours(lake, "stage")
    )
    what = f"marts → `marts_next`, {stages[0].rows:,} rows"
    yield compared(what, "COPY of the same bytes into the same tables", stages, copies, 0.5)
    beside = compared(what, "COPY into tables without keys and comments", stages, bare, 0)
    yield replace(beside, reach="")


def serve(settings: Settings) -> Answer:
    """The demo company, its thirteen months, and their marts served."""
    began = time.perf_counter()
    chain.run(settings, demo=True)
    folder = _folder(settings)
    folder.mkdir()
    with duck.warehouse(settings, read_only=True) as engine:
        duck.load(engine, "postgres_scanner")
        for mart in _served(settings):
            engine.execute(f"copy marts.{mart} to '{folder / mart}' (format postgres_binary)")
    return time.perf_counter() - began, 1


def stage(settings: Settings) -> Answer:
    """What the gate does before it checks."""
    began = time.perf_counter()
    staged = publish.stage(settings, run_id=RUN)
    return time.perf_counter() - began, sum(staged.marts.values())


def copy(settings: Settings) -> Answer:
    """PostgreSQL reads the same bytes from files into the same tables, with their keys."""
    return _copy(settings, "including all")


def copy_bare(settings: Settings) -> Answer:
    """The same into tables without a key, an index or a comment."""
    return _copy(settings, "")


def _copy(settings: Settings, like: str) -> Answer:
    rows = 0
    began = time.perf_counter()
    with ops.warehouse(settings) as connection, connection.cursor() as cursor:
        cursor.execute("drop schema if exists peer cascade")
        cursor.execute("create schema peer")
        for mart in _served(settings):
            cursor.execute(f"create table peer.{mart} (like marts.{mart} {like})")
            with (_folder(settings) / mart).open("rb") as file:
                cursor.copy_expert(f"copy peer.{mart} from stdin (format binary, freeze)", file)
            rows += cursor.rowcount
    return time.perf_counter() - began, rows


def series(settings: Settings) -> Answer:
    """A planner's question about each item: the seconds below which 95 % of them stay."""
    took = []
    with ops.warehouse(settings) as connection, connection.cursor() as cursor:
        cursor.execute("select max(inventory_date) from marts.fact_inventory")
        [(day,)] = cursor.fetchall()
        cursor.execute("select distinct item_id from marts.fact_inventory order by 1")
        items = cursor.fetchall()
        for (item,) in items:
            began = time.perf_counter()
            cursor.execute(SERIES, (item, day))
            cursor.fetchall()
            took.append(time.perf_counter() - began)
    return quantiles(took, n=20)[-1], len(items)


def unchanged(settings: Settings) -> Answer:
    """`lakehouse run` with nothing new, its start included."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "lakehouse", "run", "--json"]
    done = subprocess.run(command, check=True, capture_output=True, env=export(settings))
    seconds = time.perf_counter() - began
    status = json.loads(done.stdout)["status"]
    if status.get("dbt_run") != "skipped":
        raise AssertionError(f"something was built: {status}")
    return seconds, 1


def _served(settings: Settings) -> list[str]:
    now = publish.served(settings)
    return sorted(now.marts) if now else []


def _folder(settings: Settings) -> Path:
    return settings.home / "peer"


TASKS: dict[str, Callable[[Settings], Answer]] = {
    task.__name__: task for task in (serve, stage, copy, copy_bare, series, unchanged)
}

if __name__ == "__main__":
    found, handled = TASKS[sys.argv[1]](lakehouse_settings.load())
    sys.stdout.write(json.dumps({"seconds": found, "rows": handled}) + "\n")
