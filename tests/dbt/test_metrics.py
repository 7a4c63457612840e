"""`mf query` on DuckDB: every metric against values that were computed by hand."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lakehouse import duck
from lakehouse.settings import Settings, exported
from lakehouse.transform import dbt_runner

MARTS = """
create schema marts;
create table marts.fact_demand (
    demand_key text, demand_date date, requested_quantity numeric(18, 3),
    issued_quantity numeric(18, 3)
);
insert into marts.fact_demand values
('a', '2024-12-31', 4, 0), ('b', '2025-01-10', 10, 5), ('c', '2025-02-10', 6, 6);
create table marts.fact_inventory (
    inventory_date date, stock_value_brl numeric(28, 5), is_kept boolean, is_stocked_out boolean
);
insert into marts.fact_inventory values
('2024-12-31', 7, true, false),
('2025-01-01', 100, true, false), ('2025-01-01', 0, true, true),
('2025-01-02', 50, true, false), ('2025-01-02', 20, false, false);
create table marts.rpt_stock_position (as_of_date date, days_of_cover numeric(18, 6));
insert into marts.rpt_stock_position values
('2025-01-02', 10), ('2025-01-02', null), ('2025-01-02', 30);
create table marts.fact_orders (ordered_date date, lead_time_days integer, is_on_time boolean);
insert into marts.fact_orders values
('2025-01-01', 5, true), ('2025-01-01', 10, false), ('2025-01-01', null, null),
('2025-01-01', -3, true);
create table marts.fact_forecast_metrics (
    forecast_date date, error numeric(18, 6), absolute_error numeric(18, 6),
    actual_demand numeric(18, 3), absolute_percentage_error numeric(18, 6),
    scaled_error numeric(18, 6), is_within_interval boolean
);
insert into marts.fact_forecast_metrics values
('2025-01-01', -3, 3, 4, 0.75, 1.5, true), ('2025-01-01', 1, 1, 0, null, 0.5, false),
('2025-01-01', 2.5, 2.5, 1, 2.5, null, null);
create table marts.fact_work_orders (opened_date date, sla_status text);
insert into marts.fact_work_orders values
('2025-01-01', 'breached'), ('2025-01-01', 'met'), ('2025-01-01', 'met'), ('2025-01-01', 'met'),
('2025-01-01', 'running');
"""
BY_YEAR = {
    "total_demand": (4, 16),
    "fill_rate": (0, 11 / 16),
    # The last day of the year; the stock of two days is no stock.
    "stock_value_brl": (7, 70),
    "stock_out_rate": (0, 1 / 3),
    "days_of_cover": (None, 20),
    "lead_time": (None, 4),
    "on_time_rate": (None, 2 / 3),
    # Where nothing was needed there is no percentage to count.
    "mape": (None, 3.25 / 2),
    "wape": (None, 6.5 / 5),
    "mase": (None, 1),
    "forecast_bias": (None, 0.5 / 5),
    "interval_coverage": (None, 1 / 2),
    "sla_breach_rate": (None, 1 / 4),
}


def test_metrics_are_what_they_are_by_hand(models_lake: Settings, tmp_path: Path) -> None:
    duck.drop(models_lake)
    with duck.warehouse(models_lake) as connection:
        connection.execute(MARTS)
    dbt_runner.parse(models_lake)
    # mf wants what dbt has parsed below the project, where this test writes nothing.
    project = tmp_path / "dbt"
    shutil.copytree(dbt_runner.PROJECT_FOLDER, project)
    parsed = dbt_runner.target(models_lake) / "semantic_manifest.json"
    (project / "target").mkdir(exist_ok=True)
    shutil.copy(parsed, project / "target")

    answer = tmp_path / "answer.csv"
    mf = Path(sys.executable).with_name("mf")
    query = ["query", "--metrics", ",".join(BY_YEAR), "--group-by", "metric_time__year"]
    command = [str(mf), *query, "--order", "metric_time__year", "--csv", str(answer)]
    with exported(models_lake):
        done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    rows = list(csv.DictReader(answer.read_text("utf8").splitlines()))
    assert [row["metric_time__year"][:4] for row in rows] == ["2024", "2025"]
    for metric, expected in BY_YEAR.items():
        found = tuple(float(row[metric]) if row[metric] else None for row in rows)
        assert found == pytest.approx(expected), metric
