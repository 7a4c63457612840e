"""Each expectation has a bad sample: the good rows with one thing broken, seen by it alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest

from lakehouse.erp import postgres
from lakehouse.errors import RefusedError
from lakehouse.quality import checkpoint, suites
from lakehouse.quality.checkpoint import FAILED, PASSED
from lakehouse.quality.gate import CHECKPOINT, EXPECTATIONS
from lakehouse.settings import Settings

pytestmark = [pytest.mark.server, pytest.mark.xdist_group("great_expectations")]

GOOD = Path(__file__).with_name("good.sql").read_text("utf8")

ROW_COUNT = "expect_table_row_count_to_be_between"
UNIQUE_TOGETHER = "expect_compound_columns_to_be_unique"
BETWEEN = "expect_column_values_to_be_between"

MOVEMENT = "update fact_stock_movements set {} where stock_movement_id = 3"
POSITION = "update rpt_stock_position set {} where item_id = '0148'"
BAD = {
    ("dim_items", ROW_COUNT): "delete from dim_items where item_id is not null",
    ("dim_items.item_id, valid_from", UNIQUE_TOGETHER): (
        "update dim_items set valid_from = '1900-01-01' where item_key = 'a2'"
    ),
    ("dim_items.unit_cost_brl", BETWEEN): (
        "update dim_items set unit_cost_brl = 1000000.01 where item_id = '0148'"
    ),
    ("dim_towers", ROW_COUNT): "delete from dim_towers where tower_id is not null",
    ("dim_towers.tower_id, valid_from", UNIQUE_TOGETHER): (
        "update dim_towers set tower_id = 'BAFRD017' where tower_key = 't2'"
    ),
    ("fact_stock_movements", ROW_COUNT): "delete from fact_stock_movements",
    ("fact_stock_movements.unit_cost_brl", BETWEEN): MOVEMENT.format("unit_cost_brl = -0.01"),
    ("fact_demand.requested_quantity", BETWEEN): (
        "update fact_demand set requested_quantity = 0 where demand_key = 'd2'"
    ),
    ("fact_inventory.quantity_on_hand", BETWEEN): (
        "update fact_inventory set quantity_on_hand = -0.001 where inventory_key = 'v2'"
    ),
    ("fact_forecasts.forecasted_demand", BETWEEN): (
        "update fact_forecasts set forecasted_demand = -0.000001 where forecast_id = 'f2'"
    ),
    ("dim_suppliers", ROW_COUNT): "delete from dim_suppliers where supplier_id is not null",
    ("dim_contracts.penalty_pct", BETWEEN): "update dim_contracts set penalty_pct = 100.01",
    ("dim_time.calendar_year", BETWEEN): "insert into dim_time values ('2101-01-01', 2101)",
    ("fact_orders.unit_price_brl", BETWEEN): "update fact_orders set unit_price_brl = -0.01",
    ("rpt_supplier_performance.on_time_rate", BETWEEN): (
        "update rpt_supplier_performance set on_time_rate = 1.000001"
    ),
    ("fact_forecast_metrics.absolute_error", BETWEEN): (
        "update fact_forecast_metrics set absolute_error = -0.000001 where forecast_id = 'f2'"
    ),
    ("forecast_accuracy.interval_coverage", BETWEEN): (
        "update forecast_accuracy set interval_coverage = 1.000001 where interval_coverage = 1"
    ),
    ("rpt_forecast_value_added.pair_count", BETWEEN): (
        "update rpt_forecast_value_added set pair_count = 0 where pair_count = 1"
    ),
    ("fact_work_orders.sla_hours", BETWEEN): "update fact_work_orders set sla_hours = 0",
    ("rpt_sla_performance.availability_pct", BETWEEN): (
        "update rpt_sla_performance set availability_pct = -0.000001"
    ),
    ("rpt_stock_position", ROW_COUNT): "delete from rpt_stock_position",
    ("rpt_stock_position.item_id, tower_id", UNIQUE_TOGETHER): POSITION.format(
        "item_id = '010825'"
    ),
    ("rpt_stock_position.quantity_on_hand", BETWEEN): POSITION.format("quantity_on_hand = -0.001"),
}


def test_each_expectation_fails_on_its_bad_sample_and_on_no_other(server_lake: Settings) -> None:
    dsn = postgres.warehouse_dsn(server_lake)
    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        for number, statement in enumerate(["", *BAD.values()]):
            cursor.execute(f"create schema s{number}; set search_path = s{number}")
            cursor.execute(GOOD + statement)
    connection.close()

    assert check(dsn, "s0") == dict.fromkeys(BAD, PASSED)
    for number, broken in enumerate(BAD, 1):
        # The other tables are as good as in the good sample, which speaks for them.
        found = check(dsn, f"s{number}", only=broken[0].split(".")[0])
        wrong = {about: status for about, status in found.items() if status != PASSED}
        assert wrong == {broken: FAILED}


def check(dsn: str, schema: str, only: str = "") -> dict[tuple[str, str], str]:
    asked = suites.load(EXPECTATIONS, CHECKPOINT)
    if only:
        chosen = tuple(each for each in asked.validations if each.asset == only)
        asked = replace(asked, validations=chosen)
    found = checkpoint.run(asked, dsn, schema)
    return {(outcome.subject, outcome.expectation): outcome.status for outcome in found}


def test_every_suite_is_in_a_checkpoint() -> None:
    files = {path.stem for path in (EXPECTATIONS / "suites").glob("*.yml")}
    asked = suites.load(EXPECTATIONS, CHECKPOINT)
    assert {validation.suite.name for validation in asked.validations} == files


@pytest.mark.parametrize(
    ("kind", "kwargs", "told"),
    [
        ("expect_column_values_to_be_nul", "{column: item_id}", "not found"),
        ("expect_column_values_to_be_null", "{colunm: item_id}", "colunm extra fields"),
        ("expect_column_values_to_be_between", "{column: a, min_value: cheap}", "min_value"),
        ("expect_column_values_to_be_in_set", "{column: a, value_set: issue}", "value_set"),
        ("expect_column_values_to_not_be_null", "[item_id]", "kwargs must be a dict"),
        ("7", "{column: item_id}", "must be a string"),
    ],
)
def test_an_expectation_that_cannot_be_is_refused_at_load(
    tmp_path: Path, kind: str, kwargs: str, told: str
) -> None:
    path = tmp_path / "suites" / "wrong.yml"
    path.parent.mkdir()
    entry = f"{{type: {kind}, kwargs: {kwargs}, meta: {{why: a test}}}}"
    path.write_text(f"name: wrong\nexpectations: [{entry}]", "utf8")
    with pytest.raises(RefusedError) as refused:
        suites.load_suite(path)
    for part in ("suites/wrong.yml", f"expectation 1 ({kind})", told):
        assert part in refused.value.what
