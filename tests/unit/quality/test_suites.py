"""A suite or checkpoint that is not in shape is refused by name, before anything is imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lakehouse.bronze import contracts
from lakehouse.errors import RefusedError
from lakehouse.quality import suites
from lakehouse.settings import PROJECT

SUITE = """
name: dim_items
expectations:
  - type: expect_table_row_count_to_be_between
    kwargs: {min_value: 1}
    meta: {why: Without an item there is nothing to plan.}
"""
CHECKPOINT = """
name: marts
validation_definitions:
  - name: dim_items
    data:
      datasource: {name: warehouse}
      asset: {name: dim_items}
      batch_definition: {name: whole_table}
    suite: {name: dim_items}
"""


@pytest.mark.parametrize(
    ("written", "broken", "told"),
    [
        ("expectations:", "expectation:", ["suites/dim_items.yml", "expectations", "expectation"]),
        ("name: dim_items", "name: dim_item", ["suites/dim_items.yml", "dim_item"]),
        (
            "why: Without an item there is nothing to plan.",
            "why: ''",
            ["suites/dim_items.yml", "expectation 1 (expect_table_row_count_to_be_between)", "why"],
        ),
        ("meta:", "metadata:", ["suites/dim_items.yml", "expectation 1", "metadata"]),
        ("{min_value: 1}", "{min_value: 1", ["suites/dim_items.yml", "YAML", "line"]),
    ],
)
def test_a_suite_out_of_shape_is_refused(
    tmp_path: Path, written: str, broken: str, told: list[str]
) -> None:
    path = tmp_path / "suites" / "dim_items.yml"
    path.parent.mkdir()
    path.write_text(SUITE.replace(written, broken), "utf8")
    with pytest.raises(RefusedError) as refused:
        suites.load_suite(tmp_path, "dim_items")
    for part in told:
        assert part in refused.value.what


@pytest.mark.parametrize(
    ("written", "broken", "told"),
    [
        ("asset: {name: dim_items}", "asset: dim_items", ["checkpoints/marts.yml", "asset"]),
        ("validation_definitions:", "validations:", ["checkpoints/marts.yml", "validations"]),
        ("suite: {name: dim_items}", "suite: {name: gone}", ["suites/gone.yml", "No such file"]),
    ],
)
def test_a_checkpoint_out_of_shape_is_refused(
    tmp_path: Path, written: str, broken: str, told: list[str]
) -> None:
    path = tmp_path / "checkpoints" / "marts.yml"
    path.parent.mkdir()
    path.write_text(CHECKPOINT.replace(written, broken), "utf8")
    with pytest.raises(RefusedError) as refused:
        suites.load(tmp_path, "marts")
    for part in told:
        assert part in refused.value.what


def test_great_expectations_is_not_imported_with_the_package() -> None:
    command = "import lakehouse.quality, sys; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0


def test_every_table_of_bronze_has_a_suite() -> None:
    """Without one the table's first batch would close the gate, on the day when it lands."""
    written = (PROJECT / "expectations" / "checkpoints" / "bronze.yml").read_text("utf8")
    asked = yaml.safe_load(written)["validation_definitions"]
    assert {one["data"]["asset"]["name"] for one in asked} == {one.name for one in contracts()}
