"""What is measured of the models; see bench/tasks.py, which runs these."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import duckdb

from lakehouse import duck, engine, transform
from lakehouse.erp import company
from lakehouse.orchestration import chain
from lakehouse.settings import Settings
from lakehouse.transform import dbt_runner

Answer = tuple[float, int]
START_S, MODEL_S, TEST_S = 3.6, 0.06, 0.025
"""What dbt itself takes: to start, for each model, for each test."""


def begin(settings: Settings, scale: str, days: str) -> Answer:
    """A company of this size whose first days are in bronze, and a project that dbt has read."""
    company.create(settings, scale=float(scale), days=int(days))
    chain.run_step(settings, "extract")
    company.advance(settings, days=1)
    _land(settings)
    dbt_runner.parse(settings)
    return 0.0, 0


def live_on(settings: Settings, days: str) -> Answer:
    """More business days, landed and in bronze."""
    company.advance(settings, days=int(days))
    _land(settings)
    return 0.0, int(days)


def build(settings: Settings) -> Answer:
    """The models over what is new, and their tests."""
    began = time.perf_counter()
    built, tested = transform.transform(settings, run_id="bench")
    return time.perf_counter() - began, built.models + tested.tests


def build_anew(settings: Settings) -> Answer:
    """All models over all of bronze, and their tests."""
    engine.drop(settings)
    return build(settings)


def keep_sql(settings: Settings) -> Answer:
    """Keep the SQL that dbt makes of the models and the tests, in the order in which it ran."""
    engine.drop(settings)
    kept = []
    for command in (transform.dbt_run, transform.dbt_test):
        command(settings, run_id="bench")
        results = json.loads((dbt_runner.target(settings) / "run_results.json").read_text("utf8"))
        manifest = json.loads((dbt_runner.target(settings) / "manifest.json").read_text("utf8"))
        for result in results["results"]:
            node = manifest["nodes"][result["unique_id"]]
            kept.append({name: node.get(name) for name in ("schema", "alias", "config")})
            kept[-1]["sql"] = result["compiled_code"]
    (settings.home / "compiled.json").write_text(json.dumps(kept), "utf8")
    return 0.0, len(kept)


def build_by_hand(settings: Settings) -> Answer:
    """That SQL by DuckDB alone, and what dbt may take for itself on top."""
    nodes = json.loads((settings.home / "compiled.json").read_text("utf8"))
    file = settings.home / "by_hand" / "warehouse.duckdb"
    file.parent.mkdir(exist_ok=True)
    file.unlink(missing_ok=True)
    with duckdb.connect(str(file)) as connection:
        _prepare(connection, settings)
        began = time.perf_counter()
        kinds = [_run(connection, node) for node in nodes]
        seconds = time.perf_counter() - began
    tests = kinds.count("test")
    return seconds + START_S + MODEL_S * (len(kinds) - tests) + TEST_S * tests, len(kinds)


def _prepare(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    duck.load(connection, "delta")
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(f"attach '{settings.duckdb_path}' as built (read_only)")
    for schema in ("ops", *engine.LAYERS):
        connection.execute(f"create schema {schema}")
    for table in ("run_context", "holidays"):
        connection.execute(f"create table ops.{table} as from built.ops.{table}")
    connection.execute("detach built")


def _run(connection: duckdb.DuckDBPyConnection, node: dict[str, Any]) -> str:
    kind = str(node["config"]["materialized"])
    if kind == "test":
        connection.execute(f"select count(*) from ({node['sql']})").fetchall()
        return kind
    what = "view" if kind == "view" else "table"
    connection.execute(f"create {what} {node['schema']}.{node['alias']} as {node['sql']}")
    return kind


def _land(settings: Settings) -> None:
    for step in ("extract", "bronze"):
        chain.run_step(settings, step)


_ALL = (begin, live_on, build, build_anew, keep_sql, build_by_hand)
TASKS: dict[str, Callable[..., Answer]] = {task.__name__: task for task in _ALL}
