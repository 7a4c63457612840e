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
DRIFTS = (
    "kwargs: {column: a}\n    type: expect_column_mean_to_be_between\n"
    "    meta: {why: a test, drift: {below: 1, above: 1, slack: 1}}"
)
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


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("meta: {why: a test, drift: {below: 0.1, above: 0.1}}", "above, below, slack"),
        ("meta: {why: a test, drift: {below: -1, above: 1, slack: 1}}", "a number from 0 on"),
        ("meta: {why: a test, drift: {below: 1, above: 1, slack: 1}}", "its min_value comes from"),
        ("meta: {why: a test, of_nothing: ''}", "empty meta.of_nothing"),
        ("meta: {why: a test, at_least: 5}", "does not say why"),
        ("meta: {why: a test, of_nothing: none yet, at_least: 0}", "a number from 1 on"),
        ("meta: {why: a test, wy: a test}", "it has why, wy"),
    ],
)
def test_a_word_of_ours_that_cannot_be_is_refused(tmp_path: Path, broken: str, told: str) -> None:
    written = "meta: {why: Without an item there is nothing to plan.}"
    assert written in SUITE
    assert told in refused(tmp_path, SUITE.replace(written, broken))


@pytest.mark.parametrize(
    ("added", "told"),
    [
        (
            "kwargs: {column: a}\n    type: expect_column_values_to_be_between\n"
            "    meta: {why: a test, drift: {below: 1, above: 1, slack: 1}}",
            "not one figure of the table",
        ),
        (
            "kwargs: {column: a, max_value: {$PARAMETER: today}}\n"
            "    type: expect_column_max_to_be_between\n    meta: {why: a test}",
            "'today' is none of ['as_of_date', 'fresh_from']",
        ),
        (
            "kwargs: {column: a, row_condition: 'col(\"a\") > 1'}\n"
            "    type: expect_column_max_to_be_between\n    meta: {why: a test}",
            "one comparison or nullity",
        ),
        (f"{DRIFTS}\n  - {DRIFTS}", "expect_column_mean_to_be_between of a drifts twice"),
    ],
)
def test_an_expectation_that_could_not_be_told_or_fail_is_refused(
    tmp_path: Path, added: str, told: str
) -> None:
    assert told in refused(tmp_path, f"{SUITE}  - {added}\n")


@pytest.mark.parametrize(
    ("meta", "told"),
    [
        ("{key: item_id}", "meta.key of the suite has to be a list"),
        ("{keys: [item_id]}", "it has keys"),
        ("{sample_rows: 100}", "expectation 1 cannot fail: no more than 100 are seen"),
    ],
)
def test_meta_of_a_suite_that_cannot_be_is_refused(tmp_path: Path, meta: str, told: str) -> None:
    assert told in refused(tmp_path, f"meta: {meta}\n{SUITE.lstrip()}")


def refused(folder: Path, written: str) -> str:
    path = folder / "suites" / "dim_items.yml"
    path.parent.mkdir()
    path.write_text(written, "utf8")
    with pytest.raises(RefusedError) as error:
        suites.load_suite(folder, "dim_items")
    assert "suites/dim_items.yml" in error.value.what
    return error.value.what
