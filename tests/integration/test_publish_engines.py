"""Both engines' marts are served the same: rows, types, keys, indexes, comments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from lakehouse import publish
from lakehouse.erp import postgres
from lakehouse.errors import LakehouseError, RefusedError
from lakehouse.settings import Settings
from tests.expectations import samples
from tests.integration.gate import new_lake, running_server
from tests.integration.thread import ask, change

pytestmark = pytest.mark.server

GOOD = samples.good_marts()
DECLARED = """
alter table dim_items alter item_name type varchar;
alter table dim_items add primary key (item_key);
alter table dim_towers alter tower_name set not null;
alter table rpt_stock_position add primary key (item_id, tower_id);
comment on table dim_items is 'One row per item
and version.
';
comment on column dim_items.item_id is 'Product code: 100 %, "quoted".';
"""
CONTEXT = "create table ops.run_context as select date '2024-10-02' as as_of_date"
COLUMNS = """
    select relname, attname, format_type(atttypid, atttypmod), attnotnull,
        col_description(attrelid, attnum), obj_description(attrelid)
    from pg_attribute join pg_class on pg_class.oid = attrelid
    where relnamespace = 'marts_next'::regnamespace and relkind = 'r' and attnum > 0
"""
INDEXES = """
    select tablename, regexp_replace(indexdef, ' INDEX .* USING', '')
    from pg_indexes where schemaname = 'marts_next' order by 1, 2
"""


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    with running_server() as server:
        yield server


def on(engine: str, server: postgres.Server, home: Path, *changes: str) -> Settings:
    """A lake with good marts, built where the engine builds them."""
    lake = replace(new_lake(server, home), engine=engine)
    statements = [GOOD, DECLARED, *changes]
    if engine == "duckdb":
        with duckdb.connect(lake.duckdb_path) as connection:
            connection.execute("create schema ops; create schema marts; use marts")
            for statement in [*statements, CONTEXT]:
                connection.execute(statement)
        return lake
    with pytest.raises(LakehouseError, match="the engine's database has no mart"):
        publish.stage(lake, run_id="run-0")
    change(
        postgres.warehouse_dsn(lake),
        "create schema if not exists ops; create schema dbt_marts; set search_path to dbt_marts",
        *statements,
        CONTEXT,
    )
    return lake


def staged(lake: Settings) -> dict[str, Any]:
    done = publish.stage(lake, run_id="run-1")
    dsn = postgres.warehouse_dsn(lake)
    return {
        "staged": done,
        "columns": sorted(map(repr, ask(dsn, COLUMNS))),
        "indexes": ask(dsn, INDEXES),
        "rows": {
            mart: sorted(map(repr, ask(dsn, f"select * from marts_next.{mart}")))
            for mart in done.marts
        },
    }


def test_both_engines_are_served_the_same(server: postgres.Server, tmp_path: Path) -> None:
    of_duckdb = staged(on("duckdb", server, tmp_path / "duckdb"))
    of_postgres = staged(on("postgres", server, tmp_path / "postgres"))

    assert of_postgres == of_duckdb
    staged_marts = of_duckdb["staged"].marts
    assert staged_marts == {mart: len(rows) for mart, rows in of_duckdb["rows"].items()}
    assert staged_marts["dim_items"] == 6
    # The samples may grow; what these four have is there whatever else they get.
    assert {
        ("dim_items", "CREATE UNIQUE btree (item_key)"),
        ("dim_towers", "CREATE UNIQUE btree (tower_key)"),
        ("fact_stock_movements", "CREATE UNIQUE btree (stock_movement_key)"),
        ("fact_stock_movements", "CREATE btree (item_key)"),
        ("fact_stock_movements", "CREATE btree (tower_key)"),
        ("rpt_stock_position", "CREATE UNIQUE btree (item_id, tower_id)"),
    } <= set(of_duckdb["indexes"])
    comment = "One row per item\nand version."
    column = ("dim_items", "item_id", "text", False, 'Product code: 100 %, "quoted".', comment)
    assert repr(column) in of_duckdb["columns"]
    required = ("dim_towers", "tower_name", "text", True, None, None)
    assert repr(required) in of_duckdb["columns"]


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_what_cannot_be_served_is_told(
    engine: str, server: postgres.Server, tmp_path: Path
) -> None:
    twice = on(
        engine,
        server,
        tmp_path / "twice",
        "update fact_stock_movements set stock_movement_key = 'm1'",
    )
    with pytest.raises(RefusedError, match=r"fact_stock_movements was not staged: .*\(m1\)"):
        publish.stage(twice, run_id="run-1")
    assert ask(postgres.warehouse_dsn(twice), "select * from ops.gates") == []
    without = on(engine, server, tmp_path / "without", "update dim_towers set tower_key = null")
    with pytest.raises(RefusedError, match="dim_towers was not staged: column .tower_key. .* null"):
        publish.stage(without, run_id="run-1")
    exact = on(
        engine, server, tmp_path / "exact", "alter table dim_items add column shape interval"
    )
    with pytest.raises(
        LakehouseError, match=r"column shape of mart dim_items is interval|INTERVAL"
    ):
        publish.stage(exact, run_id="run-1")
