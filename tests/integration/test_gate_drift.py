"""The gate against what was published before, against a day that goes back, and against itself."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from lakehouse import ops, publish, quality
from lakehouse.erp import postgres
from lakehouse.errors import RefusedError
from lakehouse.quality import checkpoint, data_docs, drift, gx
from lakehouse.settings import Settings
from tests.integration.gate import new_lake, running_server
from tests.integration.test_gate import EXPECTATIONS, MARTS
from tests.integration.test_gate import build as build_all
from tests.integration.thread import ask

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("great_expectations")]

FLOOD = (
    "insert into dim_towers (tower_key, tower_id, state, served_by_tower_id)"
    " select 'x' || range, 'T' || range, 'BA', case when range % 7 > 1 then 'BAFRD017' end"
    " from range(1000)"
)
FEW = ("dim_items", "dim_towers", "rpt_stock_position")
"""Marts enough to tell: each costs a tenth of a second, at each check."""
HANGING = ("dim_items", "dim_towers")
HANGS = """
name: marts
expectations:
  - type: unexpected_rows_expectation
    kwargs: {unexpected_rows_query: "select 1 from {batch}, pg_sleep(600)"}
    meta: {why: A query that does not end.}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    with running_server() as server:
        yield server


@pytest.fixture
def gated(server: postgres.Server, tmp_path: Path) -> Settings:
    return new_lake(server, tmp_path / "home")


@pytest.fixture(scope="module", autouse=True)
def few(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Expectations of these marts only."""
    folder = tmp_path_factory.mktemp("few") / "expectations"
    shutil.copytree(EXPECTATIONS, folder)
    path = folder / "checkpoints" / "marts.yml"
    asked = yaml.safe_load(path.read_text("utf8"))
    of_few = [one for one in asked["validation_definitions"] if one["name"] in FEW]
    path.write_text(yaml.safe_dump(asked | {"validation_definitions": of_few}), "utf8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quality, "check", partial(quality.check, expectations=folder))
        yield


def build(lake: Settings, *changes: str) -> None:
    build_all(lake, *(f"drop table {mart}" for mart in MARTS if mart not in FEW), *changes)


def serve(lake: Settings, run_id: str) -> None:
    publish.stage(lake, run_id=run_id)
    quality.check(lake, run_id=run_id)
    publish.swap(lake, run_id=run_id)


def refused(lake: Settings, run_id: str, *changes: str) -> RefusedError:
    build(lake, *changes)
    publish.stage(lake, run_id=run_id)
    with pytest.raises(RefusedError) as error:
        quality.check(lake, run_id=run_id)
    return error.value


def statuses(lake: Settings, run_id: str) -> set[tuple[Any, ...]]:
    query = f"select subject, status from ops.quality_results where run_id = '{run_id}'"
    return set(ask(postgres.warehouse_dsn(lake), f"{query} and status <> 'passed'"))


def measures(lake: Settings) -> list[float]:
    with ops.warehouse(lake) as connection, connection.cursor() as cursor:
        figures = drift.published(cursor, "marts")
    [found] = [values for (_, _, what), values in figures.items() if what == "dim_towers (drift)"]
    return found


def test_a_drift_closes_the_gate_until_somebody_accepts_it_with_a_reason(gated: Settings) -> None:
    build(gated)
    serve(gated, "run-1")
    observed = ask(
        postgres.warehouse_dsn(gated),
        "select observed ->> 'compared with' from ops.quality_results"
        " where subject = 'dim_towers (drift)'",
    )
    assert observed == [("nothing: no published run has this figure",)]

    error = refused(gated, "run-2", FLOOD)
    assert "dim_towers (drift): expect_table_row_count_to_be_between drifted" in error.what
    assert "observed 1007, allowed -493 to 507, compared with 1 published runs" in error.what
    assert "lakehouse gate --accept run-2 --reason" in error.hint
    assert statuses(gated, "run-2") == {("dim_towers (drift)", "drifted")}

    with pytest.raises(RefusedError, match="needs a reason"):
        quality.accept(gated, run_id="run-2", reason=" ")
    with pytest.raises(RefusedError, match="run run-1 has nothing to accept"):
        quality.accept(gated, run_id="run-1", reason="towers of a company we bought")
    accepted = quality.accept(gated, run_id="run-2", reason="towers of a company we bought")
    assert accepted == quality.Accepted("run-2", ["dim_towers (drift)"])
    kept = "select run_id, reason, subjects from ops.accepted_drifts"
    assert ask(postgres.warehouse_dsn(gated), kept) == [
        ("run-2", "towers of a company we bought", ["dim_towers (drift)"])
    ]
    publish.swap(gated, run_id="run-2")

    # What was accepted is how things are: the next run is like it, and what was before would drift.
    build(gated, FLOOD)
    publish.stage(gated, run_id="run-3")
    assert quality.check(gated, run_id="run-3").compared_runs == 2
    assert statuses(gated, "run-3") == set()
    assert "dim_towers (drift)" in refused(gated, "run-4").what


def test_a_rule_or_an_error_is_never_accepted(gated: Settings) -> None:
    build(gated)
    serve(gated, "run-1")
    too_dear = "update dim_items set unit_cost_brl = 1000000.01 where item_id = '0148'"
    error = refused(gated, "run-2", FLOOD, too_dear)
    assert "--accept" not in error.hint
    with pytest.raises(RefusedError, match=r"run-2 .* may be accepted: dim_items.unit_cost_brl"):
        quality.accept(gated, run_id="run-2", reason="we like it so")
    refused(gated, "run-3", FLOOD, "alter table dim_items drop column unit_cost_brl")
    with pytest.raises(RefusedError, match=r"run-3 is more than may be accepted"):
        quality.accept(gated, run_id="run-3", reason="we like it so")
    with pytest.raises(RefusedError, match="has not passed"):
        publish.swap(gated, run_id="run-3")
    # What was staged since is not what was looked at.
    refused(gated, "run-4", FLOOD)
    publish.stage(gated, run_id="run-4")
    with pytest.raises(RefusedError, match="staged anew"):
        quality.accept(gated, run_id="run-4", reason="too late")


def test_a_run_that_was_withdrawn_is_no_measure_until_it_is_served_again(gated: Settings) -> None:
    build(gated)
    serve(gated, "run-1")
    refused(gated, "run-2", FLOOD)
    quality.accept(gated, run_id="run-2", reason="a mistake")
    publish.swap(gated, run_id="run-2")
    publish.rollback(gated)
    assert measures(gated) == [7]
    publish.swap(gated, run_id="run-2")
    assert measures(gated) == [1007]
    publish.rollback(gated)
    assert "dim_towers (drift)" in refused(gated, "run-3", FLOOD).what


def test_the_business_date_never_goes_back(gated: Settings) -> None:
    build(gated)
    serve(gated, "run-1")
    back = "update ops.run_context set as_of_date = date '2024-10-01'"
    error = refused(gated, "run-2", back, "update rpt_stock_position set as_of_date = '2024-10-01'")
    assert "rpt_stock_position.as_of_date: expect_column_min_to_be_between failed" in error.what
    assert "keys item_id=0" in error.what


def test_a_check_that_hangs_is_an_error_and_closes_the_gate(
    gated: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "expectations"
    (folder / "suites").mkdir(parents=True)
    (folder / "checkpoints").mkdir()
    asked = "".join(
        f"  - name: {name}\n    data: {{datasource: {{name: w}}, asset: {{name: {name}}},"
        f" batch_definition: {{name: b}}}}\n    suite: {{name: marts}}\n"
        for name in HANGING
    )
    (folder / "checkpoints" / "marts.yml").write_text(
        f"name: marts\nvalidation_definitions:\n{asked}", "utf8"
    )
    (folder / "suites" / "marts.yml").write_text(HANGS, "utf8")
    build(gated, "drop table rpt_stock_position")
    publish.stage(gated, run_id="run-1")
    monkeypatch.setattr(checkpoint, "LIMIT_S", 2.0)
    began = time.monotonic()
    with pytest.raises(RefusedError, match="statement timeout|no answer within 2 s"):
        quality.check(gated, run_id="run-1", expectations=folder)
    assert time.monotonic() - began < 30
    with pytest.raises(RefusedError, match="has not passed"):
        publish.swap(gated, run_id="run-1")

    # One that hangs in Python is given up, and nothing after it is looked at.
    monkeypatch.setattr(gx, "validate", lambda *_: time.sleep(60))
    publish.stage(gated, run_id="run-2")
    with pytest.raises(RefusedError, match="dim_items: .* no answer within 2 s"):
        quality.check(gated, run_id="run-2", expectations=folder)
    assert ("dim_towers", "error") in statuses(gated, "run-2")


def test_a_checkpoint_that_raises_is_an_error_and_closes_the_gate(
    gated: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raising(*_: Any) -> Any:
        raise ValueError("Great Expectations gave up [SQL: select 1]")

    monkeypatch.setattr(gx, "validate", raising)
    error = refused(gated, "run-1")
    assert error.exit_status == 3
    assert "dim_items: checkpoint could not be checked (exception Great Expectations gave up)" in (
        error.what
    )
    assert {status for _, status in statuses(gated, "run-1")} == {"error"}


def test_data_docs_show_what_closed_the_gate_and_need_nothing_from_elsewhere(
    gated: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(gated)
    serve(gated, "run-1")
    refused(
        gated,
        "run-2",
        FLOOD,
        "update dim_items set unit_cost_brl = -1, item_id = '<b>0148' where item_id = '0148'",
    )
    folder = gated.home / "data_docs"
    page = (folder / "run-2.html").read_text("utf8")
    closed, _, the_rest = page.partition("<h2>The marts</h2>")
    assert "What closed the gate" in closed
    assert "&lt;b&gt;0148" in closed
    assert "<b>" not in page
    assert "dim_towers (drift)" in closed
    assert "rpt_stock_position" not in closed
    assert "rpt_stock_position" in the_rest
    assert "refused" in (folder / "index.html").read_text("utf8")
    assert {path.name for path in folder.iterdir()} == {"index.html", "run-1.html", "run-2.html"}
    for path in folder.iterdir():
        text = path.read_text("utf8")
        assert "http" not in text.replace("http-equiv", "")
        assert "src=" not in text

    monkeypatch.setattr(data_docs, "KEPT_RUNS", 1)
    assert data_docs.build(gated) == data_docs.Site(str(folder / "index.html"), 1)
    assert {path.name for path in folder.iterdir()} == {"index.html", "run-2.html"}
