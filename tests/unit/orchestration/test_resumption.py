"""Which steps a run takes up again: the first that was not done, and all that follow it."""

from __future__ import annotations

import pytest

from lakehouse.orchestration import chain
from lakehouse.settings import Settings


@pytest.mark.parametrize(
    ("demo", "done", "expected"),
    [
        (True, {"demo", "extract", "bronze"}, ["dbt_run", "dbt_test", "checkpoint", "publish"]),
        (False, {"demo", "extract"}, ["bronze", "dbt_run", "dbt_test", "checkpoint", "publish"]),
        # A day that is lived now has to be extracted, though the interrupted run had done that.
        (True, {"extract", "bronze"}, list(chain.ALL_STEPS)),
        (False, set(), list(chain.STEPS)),
    ],
)
def test_a_run_goes_on_at_the_first_step_that_is_not_done(
    lake: Settings, monkeypatch: pytest.MonkeyPatch, demo: bool, done: set[str], expected: list[str]
) -> None:
    taken: list[str] = []
    monkeypatch.setattr(chain, "_unfinished", lambda _: ("run-before", done))

    def recorded(_: Settings, step: str, run_id: str) -> chain.Counts:
        taken.append(f"{run_id} {step}")
        return {}

    monkeypatch.setattr(chain, "_recorded", recorded)
    assert chain.run(lake, demo=demo) == "run-before"
    assert taken == [f"run-before {step}" for step in expected]
