"""The questions of docs/marts.md are SQL that runs, on the columns that the contracts promise."""

from __future__ import annotations

import re

import duckdb
import pytest

from lakehouse.settings import Settings
from lakehouse.transform import dbt_runner
from tests.fixtures.marts_page import PAGE, QUESTIONS


@pytest.fixture(scope="module")
def empty_marts(models_lake: Settings) -> duckdb.DuckDBPyConnection:
    """Every mart without a row, as its contract says it."""
    connection = duckdb.connect()
    connection.execute("create schema marts")
    for node in dbt_runner.parse(models_lake).nodes.values():
        if str(node.resource_type) == "model" and node.schema == "marts":
            columns = ", ".join(f'"{c.name}" {c.data_type}' for c in node.columns.values())
            connection.execute(f'create table marts."{node.name}" ({columns})')
    return connection


def test_the_page_has_ten_questions() -> None:
    assert list(QUESTIONS) == list(range(1, 11))


@pytest.mark.parametrize("query", QUESTIONS.values())
def test_each_question_can_be_asked(empty_marts: duckdb.DuckDBPyConnection, query: str) -> None:
    assert empty_marts.execute(query).description


def test_the_page_names_every_mart_and_no_other(empty_marts: duckdb.DuckDBPyConnection) -> None:
    tables = "select table_name from information_schema.tables where table_schema = 'marts'"
    marts = {name for (name,) in empty_marts.execute(tables).fetchall()}
    spoken = set(re.findall(r"`((?:dim|fact|rpt)_\w+|forecast_accuracy)`", PAGE))
    assert spoken == marts
