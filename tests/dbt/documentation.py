"""What the project says of itself is whole: every model and column, every mart and its suite."""

from __future__ import annotations

import copy
from typing import Any

from lakehouse import duck
from lakehouse.quality import suites
from lakehouse.quality.gate import CHECKPOINT, EXPECTATIONS
from lakehouse.settings import Settings

Node = Any
"""dbt's own, of many kinds."""


def undescribed(models: list[Node], columns: set[tuple[str, str]]) -> set[str]:
    """Models without a word on them, and columns of their tables that nobody explains."""
    said = {
        (model.name, column.name)
        for model in models
        for column in model.columns.values()
        if column.description.strip()
    }
    silent = {model.name for model in models if not model.description.strip()}
    return silent | {f"{model}.{column}" for model, column in columns - said}


def unowned_marts(models: list[Node], suited: set[str]) -> set[str]:
    """Marts without grain, contract, group or suite."""
    marts = [model for model in models if model.schema == "marts"]
    assert marts
    return {
        mart.name
        for mart in marts
        if not mart.description.startswith("One row per ")
        or not mart.raw_code.lstrip().startswith("-- Grain: one row per ")
        or not mart.contract.enforced
        or mart.group is None
        or mart.name not in suited
    }


def assert_is_documented(settings: Settings, models: list[Node]) -> None:
    """Nothing that was built is unsaid, unowned or unguarded; and what would be, is seen."""
    with duck.warehouse(settings) as connection:
        columns = {
            (table, column)
            for table, column in connection.execute(
                "select table_name, column_name from information_schema.columns"
                " where table_schema in ('staging', 'vault', 'intermediate', 'marts')"
            ).fetchall()
        }
    assert {table for table, _ in columns} == {model.name for model in models}
    assert undescribed(models, columns) == set()
    suited = {each.asset for each in suites.load(EXPECTATIONS, CHECKPOINT).validations}
    assert unowned_marts(models, suited) == set()

    assert unowned_marts(models, suited - {"dim_items"}) == {"dim_items"}
    assert undescribed(models, columns | {("dim_items", "colour")}) == {"dim_items.colour"}
    mart = copy.deepcopy(next(model for model in models if model.name == "dim_items"))
    mart.columns["item_id"].description = " "
    mart.description = ""
    others = [model for model in models if model.name != "dim_items"]
    assert undescribed([mart, *others], columns) == {"dim_items", "dim_items.item_id"}
    assert unowned_marts([mart, *others], suited) == {"dim_items"}
