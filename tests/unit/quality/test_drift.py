"""How far a figure may be from what was published, and which rows break an expectation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import pytest

from lakehouse.quality import drift, keys
from lakehouse.quality.suites import Drift, Entry, Suite

ROWS = """
    create table t as select * from (values
        ('a', 1, 'x', date '2024-10-01'), ('b', 2, 'y', date '2024-10-02'), ('c', null, null, null)
    ) as v (id, n, word, day)
"""


@pytest.mark.parametrize(
    ("history", "low", "high"),
    [
        ([100], 90, 150),  # by parts
        ([10], 5, 15),  # by the slack, where that is more
        ([100, 100, 100, 9000, 1], 90, 150),  # the odd ones move no median
        ([-100], -110, -50),
        ([0], -5, 5),
    ],
)
def test_a_band_is_around_the_middle_of_what_was_published(
    history: list[float], low: float, high: float
) -> None:
    assert drift.band(Drift(below=0.1, above=0.5, slack=5), history) == (low, high)


@pytest.mark.parametrize(
    ("kind", "kwargs", "failing"),
    [
        ("values_to_be_between", {"column": "n", "min_value": 2}, ["a"]),
        ("values_to_be_between", {"column": "n", "max_value": 1}, ["b"]),
        (
            "values_to_be_between",
            {"column": "n", "min_value": 1, "max_value": 2, "strict_min": True, "strict_max": True},
            ["a", "b"],
        ),
        ("max_to_be_between", {"column": "day", "max_value": "2024-10-01"}, ["b"]),
        ("max_to_be_between", {"column": "day", "min_value": "2024-10-03"}, []),
        ("min_to_be_between", {"column": "day", "min_value": "2024-10-02"}, ["a"]),
        ("values_to_be_in_set", {"column": "word", "value_set": ["x", "it's"]}, ["b"]),
        ("values_to_not_be_in_set", {"column": "word", "value_set": ["x"]}, ["a"]),
        ("values_to_not_be_null", {"column": "word"}, ["c"]),
        ("values_to_be_null", {"column": "word"}, ["a", "b"]),
        ("values_to_match_regex", {"column": "word", "regex": "^x$"}, ["b"]),
        ("value_lengths_to_be_between", {"column": "word", "min_value": 2}, ["a", "b"]),
        (
            "values_to_be_between",
            {
                "column": "n",
                "min_value": 9,
                "row_condition": {
                    "type": "comparison",
                    "column": {"name": "id"},
                    "operator": "IN",
                    "parameter": ["b", "c"],
                },
            },
            ["b"],
        ),
        (
            "values_to_not_be_null",
            {
                "column": "n",
                "row_condition": {"type": "nullity", "column": {"name": "day"}, "is_null": False},
            },
            [],
        ),
        ("mean_to_be_between", {"column": "n", "min_value": 9}, []),
    ],
)
def test_failing_rows_are_named_by_their_key(
    kind: str, kwargs: Mapping[str, Any], failing: list[str]
) -> None:
    entry = Entry(f"expect_column_{kind}", kwargs, "a test")
    with duckdb.connect() as engine:
        engine.execute(ROWS)
        found = keys.failing(
            Suite("t", (entry,), ("id",)), entry, "t", lambda q: engine.execute(q).fetchall()
        )
    assert [row["id"] for row in found.get("keys", [])] == failing
    assert found.get("failing", 0) == len(failing)
