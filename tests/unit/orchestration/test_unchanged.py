"""A run ends after bronze only when a build would make again what was published last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from lakehouse import publish, transform
from lakehouse.orchestration import chain, unchanged
from lakehouse.publish import Served
from lakehouse.settings import Settings

BATCHES = {"erp/items": 3, "erp/orders": 2}


class Lake:
    """What is served, published, built and delivered, as the modules tell it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.project = "abc"
        self.tested: dict[str, int] | None = BATCHES
        self.newest = BATCHES
        self.published: Served | None = None
        self.served: Served | None = None


@pytest.fixture
def known(lake: Settings, monkeypatch: pytest.MonkeyPatch) -> Lake:
    known = Lake(lake)
    monkeypatch.setattr(unchanged, "_project", lambda: known.project)
    monkeypatch.setattr(transform, "tested", lambda _: known.tested)
    monkeypatch.setattr(transform, "newest", lambda _: known.newest)
    monkeypatch.setattr(publish, "served", lambda _: known.served)
    monkeypatch.setattr(publish, "last_published", lambda _: known.published)
    now, inputs = datetime(2025, 1, 1, tzinfo=UTC), unchanged.inputs(lake)
    known.published = Served("run-2", date(2025, 1, 1), now, {"dim_items": 1}, 2, None, inputs)
    known.served = known.published
    return known


def test_nothing_new_is_told_with_the_run_that_is_served(known: Lake) -> None:
    assert "since run run-2 was built" in str(unchanged.since(known.settings))


def not_built(known: Lake) -> None:
    known.tested = None


def new_batch(known: Lake) -> None:
    known.newest = BATCHES | {"erp/orders": 3}


def built_and_not_published(known: Lake) -> None:
    known.tested = known.newest = BATCHES | {"erp/orders": 3}


def changed_project(known: Lake) -> None:
    known.project = "abd"


def other_engine(known: Lake) -> None:
    known.settings = replace(known.settings, engine="postgres")


def nothing_served(known: Lake) -> None:
    known.served = None


def never_published(known: Lake) -> None:
    known.published = None


def published_by_an_older_version(known: Lake) -> None:
    assert known.published is not None
    known.published = replace(known.published, inputs=None)


@pytest.mark.parametrize(
    "change",
    [
        not_built,
        new_batch,
        built_and_not_published,
        changed_project,
        other_engine,
        nothing_served,
        never_published,
        published_by_an_older_version,
    ],
)
def test_whatever_changed_is_worth_a_build(known: Lake, change: Callable[[Lake], None]) -> None:
    change(known)
    assert unchanged.since(known.settings) is None


def test_marts_that_were_taken_back_stay_so_until_something_changes(known: Lake) -> None:
    assert known.published is not None
    known.served = replace(
        known.published, run_id="run-1", withdrawn_run="run-2", publication=3, inputs="other"
    )
    told = unchanged.since(known.settings)
    assert told is not None
    assert "those of run run-1 stay served" in told
    changed_project(known)
    assert unchanged.since(known.settings) is None


@pytest.mark.parametrize(
    "file", ["dbt/models/a.sql", "expectations/suites/a.yml", "lakehouse/a.py", "requirements.txt"]
)
def test_a_change_of_any_file_that_has_a_say_is_seen(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unchanged, "PROJECT", tmp_path)
    (tmp_path / "requirements.txt").write_text("dbt-core")
    before = unchanged._project()
    (tmp_path / "dbt" / "target").mkdir(parents=True)
    (tmp_path / "dbt" / "target" / "compiled.sql").write_text("select 1")
    (tmp_path / "lakehouse").mkdir()
    (tmp_path / "lakehouse" / "a.pyc").write_text("")
    assert unchanged._project() == before
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("dbt-core 2")
    assert unchanged._project() != before


def test_a_run_ends_where_there_is_nothing_to_do(
    lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []

    def recorded(_: Settings, step: str, _run_id: str) -> chain.Counts:
        taken.append(step)
        return {chain.SKIPPED: "nothing changed"} if step == "dbt_run" else {}

    monkeypatch.setattr(chain, "_unfinished", lambda _: None)
    monkeypatch.setattr(chain, "_recorded", recorded)
    chain.run(lake)
    assert taken == ["extract", "bronze", "dbt_run"]
