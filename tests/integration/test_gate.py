"""Nothing is served before it passed: what the gate refuses leaves the marts as they were."""

from __future__ import annotations

import io
import os
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest
from deltalake import DeltaTable

from lakehouse import publish, quality
from lakehouse.erp import postgres
from lakehouse.errors import LakehouseError, RefusedError
from lakehouse.quality import gate, suites
from lakehouse.settings import PROJECT, Settings
from tests.expectations import samples
from tests.integration.gate import new_lake, pass_the_gate, running_server
from tests.integration.thread import ask

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("great_expectations")]

GOOD = samples.good_marts()
EXPECTATIONS = PROJECT / "expectations"
MARTS = tuple(samples.read("marts"))
BROKEN = (
    "update dim_items set unit_cost_brl = 1000000.01 where item_id = '0148'",
    "drop table dim_towers",
    "alter table rpt_stock_position drop column quantity_on_hand",
    "create table rpt_new as select 1 as item_count",
)
SAID_OF_IT = (
    "dim_items.unit_cost_brl where valid_to is null: expect_column_values_to_be_between failed",
    "unexpected 1, of 5, keys item_id=0148, valid_from=1900-01-01 00:00:00+00:00,"
    " unit_cost_brl=1000000.01",
    "rpt_new: checkpoint could not be checked (exception no suite in checkpoints/marts.yml)",
    "dim_towers: checkpoint could not be checked (exception the mart was not staged)",
    "and 1 more",
)


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    with running_server() as server:
        yield server


@pytest.fixture
def gated(server: postgres.Server, tmp_path: Path) -> Settings:
    return new_lake(server, tmp_path / "home")


def build(lake: Settings, *changes: str) -> None:
    """The engine's database with good marts, and changes to them."""
    lake.duckdb_path.unlink(missing_ok=True)
    with duckdb.connect(lake.duckdb_path) as connection:
        connection.execute("create schema ops; create schema marts; use marts")
        connection.execute(GOOD)
        connection.execute(
            "create table ops.run_context as select 'erp/items' as bronze_table,"
            " 0 as from_batch, 1 as to_batch, date '2024-10-02' as as_of_date"
        )
        for statement in changes:
            connection.execute(statement)


def serve(lake: Settings, run_id: str) -> None:
    publish.stage(lake, run_id=run_id)
    quality.check(lake, run_id=run_id)
    publish.swap(lake, run_id=run_id)
    publish.write_gold(lake, run_id=run_id)


def rows(lake: Settings) -> dict[str, list[str]]:
    """Every row that is served, by mart."""
    dsn = postgres.warehouse_dsn(lake)
    return {mart: sorted(map(repr, ask(dsn, f"select * from marts.{mart}"))) for mart in MARTS}


def commits(lake: Settings) -> dict[str, int]:
    return {path.name: DeltaTable(path).version() for path in Path(lake.gold_uri).iterdir()}


def assert_as_built(lake: Settings) -> None:
    """Gold and the served marts hold the rows of the engine's, and gold its types too."""
    with duckdb.connect(lake.duckdb_path, read_only=True) as engine:
        engine.execute("set TimeZone = 'UTC'")
        built = {mart: engine.table(f"marts.{mart}").to_arrow_table() for mart in MARTS}
    with duckdb.connect() as engine:
        for mart, table in built.items():
            gold = DeltaTable(f"{lake.gold_uri}/{mart}").to_pyarrow_table()
            assert [field.type for field in gold.schema] == [field.type for field in table.schema]
            expected = Counter(engine.from_arrow(table).fetchall())
            assert Counter(engine.from_arrow(gold).fetchall()) == expected
            in_marts = ask(postgres.warehouse_dsn(lake), f"select * from marts.{mart}")
            assert Counter(in_marts) == expected


def test_the_marts_are_served_as_the_engine_built_them(gated: Settings) -> None:
    build(gated, "comment on table dim_items is 'Grain: one row per item and version.'")
    staged = publish.stage(gated, run_id="run-1")
    assert staged.as_of_date == "2024-10-02"
    assert staged.marts.keys() == set(MARTS)
    assert staged.marts["dim_items"] == 6
    assert publish.served(gated) is None
    checked = quality.check(gated, run_id="run-1")
    asked = suites.load(EXPECTATIONS, gate.CHECKPOINT).validations
    assert checked == quality.Checked(sum(len(one.suite.entries) for one in asked), 0)
    assert publish.swap(gated, run_id="run-1") == publish.Swapped("2024-10-02", swapped=True)
    assert publish.write_gold(gated, run_id="run-1").gold_commits == len(MARTS)

    served = publish.served(gated)
    assert served is not None
    assert (served.run_id, served.as_of_date) == ("run-1", date(2024, 10, 2))
    assert served.marts == staged.marts
    assert_as_built(gated)
    dsn = postgres.warehouse_dsn(gated)
    types = ask(
        dsn,
        "select attname, format_type(atttypid, atttypmod), obj_description(attrelid)"
        " from pg_attribute where attrelid = 'marts.dim_items'::regclass and attnum > 0",
    )
    grain = "Grain: one row per item and version."
    assert ("unit_cost_brl", "numeric(12,2)", grain) in types
    assert ("valid_from", "timestamp with time zone", grain) in types
    assert ("item_id", "text", grain) in types
    [(index,)] = ask(dsn, "select indexdef from pg_indexes where tablename = 'dim_items'")
    assert index.startswith("CREATE UNIQUE INDEX")
    assert index.endswith("(item_key)")


def test_a_closed_gate_leaves_what_is_served(gated: Settings) -> None:
    build(gated)
    serve(gated, "run-1")
    before = rows(gated)

    build(gated, *BROKEN)
    publish.stage(gated, run_id="run-2")
    with pytest.raises(RefusedError) as refused:
        quality.check(gated, run_id="run-2")
    assert refused.value.exit_status == 3
    for part in ("run-2", *SAID_OF_IT):
        assert part in refused.value.what
    assert "stay served" in refused.value.hint
    with pytest.raises(RefusedError, match="the gate has not passed the marts of run run-2"):
        publish.swap(gated, run_id="run-2")
    with pytest.raises(RefusedError, match="run-2 is not what is served"):
        publish.write_gold(gated, run_id="run-2")

    assert rows(gated) == before
    assert set(commits(gated).values()) == {0}
    found = ask(
        postgres.warehouse_dsn(gated),
        "select subject, status from ops.quality_results"
        " where run_id = 'run-2' and status <> 'passed' order by subject collate \"C\"",
    )
    assert found == [
        ("dim_items.unit_cost_brl where valid_to is null", "failed"),
        ("dim_towers", "error"),
        ("rpt_new", "error"),
        ("rpt_stock_position", "error"),
    ]
    build(gated, "delete from dim_items where item_id = '0200'")
    serve(gated, "run-3")
    assert len(rows(gated)["dim_items"]) == 5
    assert set(commits(gated).values()) == {1}


def test_a_run_is_not_checked_or_served_with_the_marts_of_another(gated: Settings) -> None:
    build(gated)
    publish.stage(gated, run_id="run-1")
    publish.stage(gated, run_id="run-2")
    with pytest.raises(RefusedError, match="run run-1 cannot be checked: .* those of run run-2"):
        quality.check(gated, run_id="run-1")
    pass_the_gate(gated)
    with pytest.raises(RefusedError, match="run-1 has nothing to publish: .* of run run-2"):
        publish.swap(gated, run_id="run-1")
    publish.swap(gated, run_id="run-2")
    with pytest.raises(RefusedError, match="run-1 has nothing to publish: marts_next is not there"):
        publish.swap(gated, run_id="run-1")
    with pytest.raises(RefusedError, match="run-2 cannot be checked: marts_next is not there"):
        quality.check(gated, run_id="run-2")
    assert publish.swap(gated, run_id="run-2") == publish.Swapped("2024-10-02", swapped=False)
    published = ask(postgres.warehouse_dsn(gated), "select run_id from ops.published")
    assert published == [("run-2",)]


def test_marts_that_are_staged_anew_have_to_pass_anew(gated: Settings) -> None:
    build(gated)
    publish.stage(gated, run_id="run-1")
    pass_the_gate(gated)
    publish.stage(gated, run_id="run-1")
    with pytest.raises(RefusedError, match="has not passed"):
        publish.swap(gated, run_id="run-1")


def test_a_key_that_stands_twice_is_not_staged(gated: Settings) -> None:
    build(gated)
    publish.stage(gated, run_id="run-1")
    build(gated, "update dim_towers set tower_key = 't1'")
    with pytest.raises(RefusedError, match=r"dim_towers was not staged: Key \(tower_key\)=\(t1\)"):
        publish.stage(gated, run_id="run-2")
    gates = ask(postgres.warehouse_dsn(gated), "select run_id from ops.gates")
    assert gates == [("run-1",)]


def test_text_that_postgresql_cannot_hold_is_named(gated: Settings) -> None:
    build(gated, "update dim_items set item_name = 'x' || chr(0)")
    with pytest.raises(LakehouseError, match="dim_items could not be read .* NULL-byte"):
        publish.stage(gated, run_id="run-1")


def test_ctrl_c_while_marts_are_staged_is_an_interruption(
    gated: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(gated)

    class Interrupted(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise KeyboardInterrupt

    def opened(descriptor: int, _mode: str) -> Interrupted:
        os.close(descriptor)
        return Interrupted()

    monkeypatch.setattr(os, "fdopen", opened)
    with pytest.raises(KeyboardInterrupt):
        publish.stage(gated, run_id="run-1")


def test_an_interrupted_gold_is_completed(gated: Settings) -> None:
    build(gated)
    publish.stage(gated, run_id="run-1")
    pass_the_gate(gated)
    publish.swap(gated, run_id="run-1")
    # The engine's database goes on: gold is what is served all the same.
    build(gated, "delete from dim_items")
    gold = Path(gated.gold_uri)
    gold.mkdir()
    (gold / "fact_stock_movements").write_text("in the way")
    with pytest.raises(LakehouseError, match="fact_stock_movements could not be written"):
        publish.write_gold(gated, run_id="run-1")
    (gold / "fact_stock_movements").unlink()

    left = len(MARTS) - MARTS.index("fact_stock_movements")
    assert publish.write_gold(gated, run_id="run-1").gold_commits == left
    assert publish.write_gold(gated, run_id="run-1").gold_commits == 0
    assert commits(gated) == dict.fromkeys(MARTS, 0)
    assert DeltaTable(gold / "dim_items").to_pyarrow_table().num_rows == 6
