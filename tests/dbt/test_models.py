"""The models on their own: unit tests, an empty lake, checks that go red."""

from __future__ import annotations

from typing import Any

import pytest

from lakehouse import duck
from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings
from lakehouse.transform import dbt_run, dbt_runner, dbt_test, transform
from tests.dbt.conftest import Recorded
from tests.dbt.documentation import assert_is_documented
from tests.dbt.written_bronze import Row, change, deliver, instant, start_anew

Values = dict[str, Any]

PLACE: Values = {"tower_type": "depot", "state": "BA", "municipality": "Salvador"}
ASKED: Values = {
    "work_order_id": 1,
    "requested_quantity": 1.0,
    "issued_quantity": 1.0,
    "requested_at": instant(0),
    "request_status": "issued",
}
COUNTED: Values = {"movement_type": "receipt", "unit_cost_brl": 2.5, "moved_at": instant(0)}
BOUGHT: Values = {"item_id": "b", "order_status": "open", "quantity": 2.0, "unit_price_brl": 1.0}
WORK: Values = {"work_type": "corrective", "discipline": "cooling", "opened_at": instant(0)}
BUSINESS: dict[str, list[Row]] = {
    "erp/orders": [change(1, order_id=n, **BOUGHT) for n in (1, 2)],
    "erp/goods_receipts": [
        change(2, goods_receipt_id=1, order_id=2, quantity=1.0, received_at=instant(0))
    ],
    "erp/tower_contracts": [change(1, tower_id="T", contract_id="C")],
    "erp/work_orders": [
        change(3, work_order_id=n, tower_id="T", contract_id="C", sla_hours=8, **WORK)
        for n in (1, 2)
    ],
    "weather/observations": [{"station_id": "A401", "observed_at": instant(0)}],
}
BUSINESS_BROKEN = {
    "delete from marts.fact_orders where order_id = 1": {"assert_orders_are_conserved"},
    "update marts.fact_orders set received_quantity = 2": {"assert_receipts_are_conserved"},
    "delete from marts.fact_work_orders where work_order_id = 1": {
        "assert_work_orders_are_conserved",
        "assert_sla_report_counts_every_work_order",
    },
    "update intermediate.int_site_availability set down_seconds = covered_seconds + 1": {
        "assert_sites_are_not_down_longer_than_covered"
    },
    "update marts.fact_weather_daily set hour_count = 2": {"assert_observations_are_conserved"},
    "update marts.fact_work_orders set closed_date = '1024-10-01'": {
        "relationships_fact_work_orders_closed_date__calendar_date__ref_dim_time_"
    },
}
STOCK_BROKEN = (
    "delete from marts.dim_items where item_id = 'a' and item_name = '2'",
    "update marts.dim_items set valid_to = null where item_id = 'b' and item_name = '2'",
    "update marts.dim_items set is_current = true where item_id = 'c' and item_name = '2'",
    "delete from marts.fact_stock_movements where stock_movement_id = 1",
    "update marts.fact_stock_movements set tower_key = 'lost', movement_type = 'theft'",
    "update marts.rpt_stock_position set stock_difference = 1, position_quantity = 9",
    "update marts.fact_demand set requested_quantity = 2",
    "update marts.fact_inventory set quantity_on_hand = 9",
    "update marts.rpt_reorder_recommendations set recommended_quantity = 1",
    "insert into vault.sat_item__erp select * from vault.sat_item__erp limit 1",
    "insert into vault.hub_tower select * from vault.hub_tower",
)
GONE_RED = {
    "scd2_no_gap_dim_items_item_id",
    "scd2_no_overlap_dim_items_item_id",
    "scd2_one_current_dim_items_item_id",
    "assert_stock_movements_are_conserved",
    "assert_stock_position_agrees_with_erp",
    "assert_position_is_what_it_is_made_of",
    "assert_demand_is_conserved",
    "assert_inventory_ends_at_the_position",
    "assert_recommendations_are_orders_that_can_be_placed",
    "relationships_fact_stock_movements_tower_key__tower_key__ref_dim_towers_",
    "accepted_values_fact_stock_movements_movement_type__issue__receipt__transfer__adjustment__return",
    "unique_hub_tower_tower_hk",
    "unique_hub_tower_tower_id",
    "unique_combination_sat_item__erp_item_hk__seq__record_source__op__hashdiff__extracted_at",
}
"""The checks of what STOCK_BROKEN breaks."""


def test_an_empty_lake_builds_and_the_unit_tests_pass(models_lake: Settings) -> None:
    start_anew(models_lake)
    built, tested = transform(models_lake, run_id="empty")
    assert (tested.warnings, tested.advanced, built.as_of_date) == (0, True, None)

    manifest = dbt_runner.parse(models_lake)
    models = [node for node in manifest.nodes.values() if str(node.resource_type) == "model"]
    assert_is_documented(models_lake, models)
    results = dbt_runner.execute(
        models_lake, manifest, "unit tests", ["test", "--select", "test_type:unit"]
    )
    assert len(results) == len(manifest.unit_tests) > 0
    assert [(r.node, r.message) for r in results if r.status != "pass"] == []


def test_every_kind_of_check_goes_red(models_lake: Settings, recorded: Recorded) -> None:
    start_anew(models_lake)
    _deliver_what_is_right(models_lake)
    assert dbt_run(models_lake, run_id="good").as_of_date == "2024-10-01"
    with duck.warehouse(models_lake) as connection:
        for statement in (*STOCK_BROKEN, *BUSINESS_BROKEN):
            connection.execute(statement)
    recorded.clear()
    with pytest.raises(LakehouseError, match="failing rows: .*=") as error:
        dbt_test(models_lake, run_id="bad")
    assert error.value.exit_status == 1
    assert {row["node"] for row in recorded if row["status"] != "pass"} == {
        *GONE_RED,
        *(test for tests in BUSINESS_BROKEN.values() for test in tests),
    }


def _deliver_what_is_right(models_lake: Settings) -> None:
    versions = [
        change(n, item_id=key, item_name=f"{n}", criticality="A", is_service=False)
        for n in (1, 2, 3)
        for key in "abc"
    ]
    moved = [
        change(4, stock_movement_id=n, item_id="a", tower_id="T", quantity=1.0, **COUNTED)
        for n in (1, 2)
    ]
    tower = change(1, tower_id="T", tower_name="T", **PLACE)
    deliver(models_lake, {"erp/items": versions, "erp/towers": [tower], **BUSINESS})
    deliver(models_lake, {"erp/stock_movements": moved})
    stock: Values = {"min_stock": 0.0, "max_stock": 9.0, "reorder_point": 1.0}
    kept = change(4, item_id="a", tower_id="T", current_stock=2.0, **stock)
    asked = change(4, material_request_id=1, item_id="a", store_tower_id="T", **ASKED)
    deliver(models_lake, {"erp/inventory": [kept], "erp/material_requests": [asked]})
