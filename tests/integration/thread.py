"""How the tests ask whether what is served is what the ERP says."""

from __future__ import annotations

from typing import Any

import psycopg2

from lakehouse.erp import postgres
from lakehouse.settings import Settings

SAME_IN_BOTH = {
    "items": (
        # The one thing that staging folds: M³ and M3 are one unit.
        "select item_id, item_name, family, translate(unit, '²³', '23'), unit_cost_brl,"
        " criticality, is_service, description from items",
        "select item_id, item_name, family, unit, unit_cost_brl, criticality, is_service,"
        " description from marts.dim_items where is_current and item_id is not null",
    ),
    "towers": (
        "select tower_id, tower_name, tower_type, state, municipality, latitude, longitude,"
        " served_by_tower_id from towers",
        "select tower_id, tower_name, tower_type, state, municipality, latitude, longitude,"
        " served_by_tower_id from marts.dim_towers where is_current and tower_id is not null",
    ),
    "stock movements": (
        "select stock_movement_id, item_id, tower_id, movement_type, quantity, unit_cost_brl,"
        " moved_at from stock_movements",
        "select f.stock_movement_id, i.item_id, t.tower_id, f.movement_type, f.quantity,"
        " f.unit_cost_brl, f.moved_at from marts.fact_stock_movements f"
        " join marts.dim_items i using (item_key) join marts.dim_towers t using (tower_key)",
    ),
    "stock": (
        "select item_id, tower_id, current_stock, min_stock, max_stock, reorder_point"
        " from inventory",
        "select item_id, tower_id, erp_current_stock, min_stock, max_stock, reorder_point"
        " from marts.rpt_stock_position where erp_current_stock is not null",
    ),
    "stock by movements": (
        "select item_id, tower_id, sum(quantity) from stock_movements group by 1, 2",
        "select item_id, tower_id, quantity_on_hand from marts.rpt_stock_position"
        " where movement_count > 0",
    ),
}


def ask(dsn: str, query: str) -> list[tuple[Any, ...]]:
    """Every row of a query."""
    connection = psycopg2.connect(dsn)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()
    finally:
        connection.close()


def change(dsn: str, *statements: str) -> None:
    """Run statements as one transaction."""
    connection = psycopg2.connect(dsn)
    try:
        with connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        connection.close()


def assert_serves_the_erp(lake: Settings) -> None:
    """Every current row of the ERP is served, as it is there, and nothing else."""
    for what, (in_erp, in_marts) in SAME_IN_BOTH.items():
        expected = sorted(map(repr, ask(postgres.erp_dsn(lake), in_erp)))
        served = sorted(map(repr, ask(postgres.warehouse_dsn(lake), in_marts)))
        assert expected, what
        assert served == expected, what
