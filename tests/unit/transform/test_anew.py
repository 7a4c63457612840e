"""Models that have changed are built anew, and what the project has no more goes with them."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

from lakehouse import engine, ops
from lakehouse.settings import Settings
from lakehouse.transform import dbt_runner, models, ranges, steps
from tests.dbt.written_bronze import start_anew


@pytest.fixture
def commands(lake: Settings, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What dbt would have been told; the lake is empty, and its models are those named "a"."""
    start_anew(lake)
    told: list[list[str]] = []
    monkeypatch.setattr(ops, "warehouse", nullcontext)
    monkeypatch.setattr(ops, "record", lambda *_: None)

    def execute(*given: Any) -> list[dbt_runner.NodeResult]:
        told.append(given[-1])
        return []

    monkeypatch.setattr(dbt_runner, "execute", execute)
    monkeypatch.setattr(models, "fingerprint", lambda manifest: manifest)
    return told


def build(lake: Settings, manifest: Any, **options: Any) -> steps.Built:
    frozen = ranges.freeze(lake, ["erp/items"])
    return steps.build_over(lake, manifest, frozen, run_id="build", **options)


def leftover(lake: Settings) -> bool:
    """Whether a mart that no model makes is still there; one is put there for the next build."""
    with engine.database(lake) as connection:
        query = "select count(*) from duckdb_tables() where table_name = 'fact_leftovers'"
        found = connection.execute(query).fetchone()
        connection.execute("create schema if not exists marts")
        connection.execute("create table if not exists marts.fact_leftovers (x integer)")
    return found == (1,)


def test_other_models_are_built_anew_and_it_is_said(
    lake: Settings, commands: list[list[str]]
) -> None:
    assert build(lake, "a").note is None
    assert not leftover(lake)
    assert build(lake, "a").note is None
    assert leftover(lake)
    # A selection is one person's wish, and may be half of what has changed.
    assert build(lake, "b", select=["dim_items"]).note is None
    assert leftover(lake)
    assert build(lake, "b").note == "the models changed: built anew"
    assert not leftover(lake)
    assert build(lake, "b").note is None
    assert leftover(lake)
    build(lake, "b", full_refresh=True)
    assert not leftover(lake)
    assert ["--full-refresh" in command for command in commands] == [False] * 5 + [True]


def test_a_build_anew_that_failed_is_begun_anew(
    lake: Settings, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    build(lake, "a")
    with monkeypatch.context() as patched:
        patched.setattr(dbt_runner, "execute", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            build(lake, "b")
    leftover(lake)
    assert build(lake, "b").note == "the models changed: built anew"
    assert not leftover(lake)
    assert len(commands) == 2


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt
