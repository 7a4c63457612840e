"""The gate: its expectations on six million rows, against one SQL pass that asks the same."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import psycopg2

from bench import measuring
from bench.measuring import Result, compared, ours
from lakehouse.erp import postgres
from lakehouse.quality import checkpoint, gate, keys, suites
from lakehouse.quality.suites import Entry
from lakehouse.settings import PROJECT, Settings

ROWS = 2_000_000
"""Of each of three marts."""
SCHEMA = "gate_bench"
MARTS = {
    "fact_stock_movements": """
        n as stock_movement_id, md5((n % 9000)::text) as item_key,
        md5((n % 190)::text) as tower_key,
        lpad((n % 879)::text, 6, '0') as item_id, 'receipt'::text as movement_type,
        (n % 977 / 8.0)::numeric(14, 3) as quantity, (n % 100000 / 100.0)::numeric(12, 2) as
        unit_cost_brl, timestamptz '2024-10-01' + n * interval '11 s' as moved_at,
        case n % 4 when 0 then 'NF ' || n end as note
    """,
    "fact_inventory": """
        md5(n::text) as inventory_key, lpad((n % 879)::text, 6, '0') as item_id,
        'BAFRD' || n % 190 as tower_id, date '2024-10-02' - (n % 600)::integer as inventory_date,
        (n % 977 / 8.0)::numeric(18, 3) as quantity_on_hand,
        (n % 100000 / 100.0)::numeric(28, 5) as stock_value_brl, n % 60 = 0 as is_stocked_out
    """,
    "fact_orders": """
        n as order_id, md5((n % 9000)::text) as item_key, (n % 100000 / 100.0)::numeric(12, 2) as
        unit_price_brl, (n % 29 + 1)::integer as lead_time_days,
        case when n % 10 > 0 then date '2024-10-02' - (n % 600)::integer end as completed_date
    """,
}
FIGURES = {
    "expect_table_row_count_to_be_between": "count(*)",
    "expect_column_mean_to_be_between": "avg({})",
    "expect_column_sum_to_be_between": "sum({})",
    "expect_column_min_to_be_between": "min({})",
    "expect_column_max_to_be_between": "max({})",
    "expect_column_unique_value_count_to_be_between": "count(distinct {})",
    "expect_column_proportion_of_non_null_values_to_be_between": "count({})",
}
PARAMETERS = {"as_of_date": "2024-10-02", "fresh_from": "2024-10-01"}


def results() -> Iterator[Result]:
    """Every row of the table that is about the gate."""
    with measuring.lake() as lake:
        ours(lake, "fill_marts", str(ROWS))
        passes, gates = measuring.alternately(
            lambda: ours(lake, "sql_pass"), lambda: ours(lake, "gx_pass")
        )
    count = sum(len(validation.suite.entries) for validation in _asked().validations)
    what = f"gate, {count} expectations on {ROWS * len(MARTS):,} rows, import aside"
    yield compared(what, "one SQL pass a mart with the same checks", gates, passes, 1 / 3)


def _asked() -> suites.Checkpoint:
    asked = suites.load(PROJECT / "expectations", gate.CHECKPOINT)
    return replace(asked, validations=tuple(v for v in asked.validations if v.asset in MARTS))


def fill_marts(settings: Settings, rows: str) -> tuple[float, int]:
    """The marts, as wide as what is asked of them and a little more."""
    began = time.perf_counter()
    with (
        closing(psycopg2.connect(postgres.warehouse_dsn(settings))) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(f"create schema {SCHEMA}; set search_path = {SCHEMA}")
        for mart, columns in MARTS.items():
            cursor.execute(
                f"create table {mart} with (autovacuum_enabled = false) as select {columns}"
                f" from generate_series(1, {rows}) as s (n)"
            )
            cursor.execute(f"analyze {mart}")
    return time.perf_counter() - began, int(rows) * len(MARTS)


def sql_pass(settings: Settings) -> tuple[float, int]:
    """One query a mart that sees all that its suite asks."""
    queries = [
        f"select {', '.join(_figure(entry) for entry in validation.suite.entries)}"
        f" from {SCHEMA}.{validation.asset}"
        for validation in _asked().validations
    ]
    with (
        closing(psycopg2.connect(postgres.warehouse_dsn(settings))) as connection,
        connection.cursor() as cursor,
    ):
        began = time.perf_counter()
        for query in queries:
            cursor.execute(query)
            cursor.fetchall()
        return time.perf_counter() - began, ROWS * len(MARTS)


def _figure(entry: Entry) -> str:
    """What an expectation asks, as a column of a query."""
    if entry.type in FIGURES:
        return FIGURES[entry.type].format(*map(keys.identifier, entry.columns))
    wrong = keys.CONDITIONS[entry.type](keys.identifier(entry.columns[0]), entry.kwargs)
    return f"sum(case when {wrong} then 1 else 0 end)"


def gx_pass(settings: Settings) -> tuple[float, int]:
    """The same by Great Expectations, as the gate runs it."""
    asked = _asked()  # imports Great Expectations
    began = time.perf_counter()
    place = gate.place(postgres.warehouse_dsn(settings), SCHEMA)
    outcomes = checkpoint.run(asked, place, checkpoint.Compared({}, PARAMETERS))
    seconds = time.perf_counter() - began
    wrong = [outcome.sentence for outcome in outcomes if outcome.is_wrong]
    assert not wrong, wrong
    return seconds, ROWS * len(MARTS)


TASKS = {task.__name__: task for task in (fill_marts, sql_pass, gx_pass)}
