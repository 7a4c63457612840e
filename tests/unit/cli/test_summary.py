"""What a run says at its end."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from lakehouse.cli.answers import QUESTIONS
from lakehouse.cli.summary import summary_text

SERVED = {
    "run_id": "run-2",
    "as_of_date": "2025-10-08",
    "published_at": datetime(2025, 10, 9, 8, tzinfo=UTC),
    "marts": {"dim_items": 1200, "fact_orders": 5},
    "withdrawn_run": None,
}


def told(steps: dict[str, Any], **other: Any) -> str:
    """The summary of a run whose steps counted these things."""
    data = {
        "steps": steps,
        "status": dict.fromkeys(steps, "done"),
        "served": SERVED,
        "before": None,
        "answers": {},
        "warehouse_dsn": "postgresql://lakehouse@127.0.0.1:5/warehouse",
    }
    return summary_text(data | other)


DONE = {
    "extract": {"transactions": 57, "changes": 681},
    "bronze": {"rows": 680, "quarantined_rows": 1, "quarantined_files": 0},
    "dbt_run": {"models": 114},
    "dbt_test": {"tests": 304, "warnings": 2},
    "checkpoint": {"expectations": 68},
    "publish": {"swapped": True},
}


def test_a_run_tells_what_changed_was_checked_and_is_served() -> None:
    before = SERVED | {"marts": {"dim_items": 1203, "fact_orders": 5}}
    text = told(DONE, before=before)
    for part in (
        "681 changes of the ERP in 57 transactions, 680 new rows in bronze",
        "1 rows and 0 files refused",
        "304 dbt tests (2 warned); 68 expectations before anything was served: all passed",
        "as of 2025-10-08, since 2025-10-09 08:00:00 UTC, from run-2",
        "lakehouse status",
    ):
        assert part in text
    lines = text.splitlines()
    assert any(line.split() == ["dim_items", "1,200", "rows", "-3"] for line in lines)
    assert any(line.split() == ["fact_orders", "5", "rows"] for line in lines)


def test_a_run_with_nothing_to_do_says_so() -> None:
    reason = "no row in bronze and nothing in the project changed since run run-2 was built"
    steps = {"extract": {"changes": 0}, "bronze": {"rows": 0}, "dbt_run": {"skipped": reason}}
    text = told(steps, status={"extract": "done", "bronze": "done", "dbt_run": "skipped"})
    assert reason in text
    assert "nothing, as nothing was built" in text


def test_a_rollback_is_told_until_the_next_publish() -> None:
    text = told(DONE, served=SERVED | {"withdrawn_run": "run-3"})
    assert "by a rollback from run-3" in text


def test_every_question_has_an_answer_also_when_nothing_is_found() -> None:
    row = {
        "item_id": "010825",
        "item_name": "Cabo",
        "tower_id": "T1",
        "unit": "M",
        "unmet_quantity": Decimal("1200.500"),
        "on_order_quantity": Decimal("30.000"),
        "last_moved_date": None,
        "all": 1234,
    }
    text = told(DONE, answers={"stock_outs": [row], "reorders": []})
    assert "Out of stock (1,234 items" in text
    line = "   1  010825 Cabo, at T1: 1,200.5 M waited for, 30 on order, last moved unknown"
    assert line in text.splitlines()
    assert "Order first (0 orders are due)\n      nothing" in text
    assert "nothing" in told(DONE, answers={name: [] for name in QUESTIONS})
