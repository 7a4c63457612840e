"""Which steps a run takes up again: the first that was not done, and all that follow it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lakehouse import publish, quality
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


def test_gold_is_written_before_any_page(lake: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def says(what: str, result: object) -> Callable[..., object]:
        def do(*_: object, **__: object) -> object:
            done.append(what)
            return result

        return do

    monkeypatch.setattr(publish, "swap", says("swap", publish.Swapped(None, swapped=True)))
    monkeypatch.setattr(publish, "write_gold", says("gold", publish.Gold(2)))
    monkeypatch.setattr(quality, "renew_data_docs", says("pages", None))
    counts = chain._publish(lake, "run-1")
    assert counts == {"served_as_of": None, "swapped": True, "gold_commits": 2}
    assert done == ["swap", "gold", "pages"]
