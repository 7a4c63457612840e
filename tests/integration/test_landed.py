"""What landed in bronze is looked at until it passes, and only when there is something new."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lakehouse import bronze, quality
from lakehouse.erp import postgres
from lakehouse.errors import RefusedError
from lakehouse.settings import Settings, export
from tests.integration.gate import new_lake, running_server
from tests.integration.thread import ask
from tests.unit.bronze.landed import movement, put, table

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("great_expectations")]

MOVEMENTS = "erp/stock_movements"
LOOK = """
import sys
from lakehouse import quality, settings
print(quality.check_landed(settings.load(), run_id="again"))
sys.exit("great_expectations" in sys.modules)
"""
CHECKPOINT = """
name: bronze
validation_definitions:
  - name: erp__ENTITY
    data:
      datasource: {name: bronze}
      asset: {name: erp/ENTITY}
      batch_definition: {name: landed}
    suite: {name: bronze/erp__ENTITY}
"""
SUITE = """
name: bronze/erp__ENTITY
expectations:
  - type: expect_table_row_count_to_be_between
    kwargs:
      max_value: 0
      row_condition: {type: comparison, column: {name: _cdc_op}, operator: "==", parameter: delete}
    meta: {why: a test}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    with running_server() as server:
        yield server


@pytest.fixture
def lake(server: postgres.Server, tmp_path: Path) -> Settings:
    return new_lake(server, tmp_path / "home")


def land(lake: Settings, name: str, *numbers: int, **other: object) -> None:
    put(lake, table(movement(number, **other) for number in numbers), f"2024_10_01_{name}_0")
    bronze.load(lake)


def passed(lake: Settings) -> list[tuple[object, ...]]:
    query = "select bronze_table, batch_id from ops.passed_batches"
    return ask(postgres.warehouse_dsn(lake), query)


def written(folder: Path, entity: str) -> Path:
    """Expectations of one table: no deletion in it."""
    for name, text in (("checkpoints/bronze", CHECKPOINT), (f"suites/bronze/erp__{entity}", SUITE)):
        path = folder / "expectations" / f"{name}.yml"
        path.parent.mkdir(parents=True)
        path.write_text(text.replace("ENTITY", entity), "utf8")
    return folder / "expectations"


def test_a_batch_is_looked_at_once_and_nothing_is_imported_without_one(lake: Settings) -> None:
    land(lake, "1", 1, 2, 3)
    found = quality.check_landed(lake, run_id="run-1")
    assert found.checked_tables == 1
    assert found.checked_expectations > 0
    assert passed(lake) == [(MOVEMENTS, 1)]
    environment = export(lake) | {"WAREHOUSE_DSN": postgres.warehouse_dsn(lake)}
    done = subprocess.run(
        [sys.executable, "-c", LOOK], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, str(quality.Landed(0, 0))), done.stderr
    kept = ask(postgres.warehouse_dsn(lake), "select distinct run_id from ops.quality_results")
    assert kept == [("run-1",)]


def test_a_refused_batch_is_looked_at_again_until_all_of_it_passes(lake: Settings) -> None:
    land(lake, "1", *[7] * 200)
    for run_id in ("run-1", "run-2"):
        with pytest.raises(RefusedError, match=r"stock_movements.stock_movement_id: .* failed"):
            quality.check_landed(lake, run_id=run_id)
    assert passed(lake) == []
    # One change read again and again is suspicious; among as many others it is not.
    land(lake, "2", *range(100, 200))
    quality.check_landed(lake, run_id="run-3")
    assert passed(lake) == [(MOVEMENTS, 2)]


def test_a_row_that_breaks_a_rule_is_named_by_its_key(lake: Settings) -> None:
    land(lake, "1", 1)
    quality.check_landed(lake, run_id="run-1")
    land(lake, "2", 4711, item_id="11")
    with pytest.raises(RefusedError) as refused:
        quality.check_landed(lake, run_id="run-2")
    assert refused.value.exit_status == 3
    # Only what is new is looked at.
    assert "unexpected 1, of 1, keys stock_movement_id=4711, item_id=11" in refused.value.what
    assert "run-2.html" in {path.name for path in (lake.home / "data_docs").iterdir()}


def test_what_can_never_pass_again_is_let_through_by_somebody_who_says_why(lake: Settings) -> None:
    land(lake, "1", 4711, item_id="11")
    with pytest.raises(RefusedError, match="item_id=11") as refused:
        quality.check_landed(lake, run_id="run-1")
    assert "`lakehouse gate --accept run-1" in refused.value.hint
    # The correction comes after it, and bronze forgets nothing.
    land(lake, "2", 4711)
    with pytest.raises(RefusedError, match="item_id=11"):
        quality.check_landed(lake, run_id="run-2")
    with pytest.raises(RefusedError, match="needs a reason"):
        quality.accept(lake, run_id="run-1", reason=" ")
    quality.accept(lake, run_id="run-1", reason="mended in the ERP")
    assert passed(lake) == [(MOVEMENTS, 1)]
    # Only what was looked at in that run was accepted; what landed later is looked at still.
    assert quality.check_landed(lake, run_id="run-3").checked_tables == 1
    assert passed(lake) == [(MOVEMENTS, 2)]
    why = ask(postgres.warehouse_dsn(lake), "select run_id, reason from ops.accepted_drifts")
    assert why == [("run-1", "mended in the ERP")]


def test_a_table_without_a_suite_is_an_error(lake: Settings, tmp_path: Path) -> None:
    folder = written(tmp_path, "items")
    land(lake, "1", 1)
    with pytest.raises(RefusedError, match=r"erp/stock_movements: .* no suite in checkpoints/bro"):
        quality.check_landed(lake, run_id="run-1", expectations=folder)
    with pytest.raises(RefusedError, match="more than may be accepted"):
        quality.accept(lake, run_id="run-1", reason="I know it")


def test_a_batch_with_too_many_of_a_kind_of_rows_has_not_passed(
    lake: Settings, tmp_path: Path
) -> None:
    folder = written(tmp_path, "stock_movements")
    land(lake, "1", 1, _cdc_op="delete", _ab_cdc_deleted_at="2024-10-01T11:30:00.123Z")
    for run_id in ("run-1", "run-2"):
        with pytest.raises(RefusedError, match=r"where _cdc_op == delete: .* failed"):
            quality.check_landed(lake, run_id=run_id, expectations=folder)


def test_a_great_load_is_looked_at_in_part(lake: Settings) -> None:
    land(lake, "1", *range(10))
    land(lake, "2", *range(10, 1010))
    columns = ["stock_movement_id"]
    assert bronze.landed_rows(lake, MOVEMENTS, 0, columns).num_rows == 1010
    some = bronze.landed_rows(lake, MOVEMENTS, 1, columns, most=100)
    assert some["stock_movement_id"].to_pylist() == list(range(10, 1010, 10))
    newest = datetime(2024, 10, 1, 11, 30, 0, 123000, tzinfo=UTC)
    assert bronze.newest_commit(lake) == newest
