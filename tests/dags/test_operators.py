"""What the operator makes of a step's end, and of a DAG run's name."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.errors import LakehouseError, RefusedError
from lakehouse.lock import LockHeldError
from lakehouse.orchestration import chain
from lakehouse.orchestration.incidents import safe_run_id

AWAY = RefusedError("the ERP cannot be reached", hint="wait")
AWAY.__cause__ = psycopg2.OperationalError("connection refused")
NAMES = st.text(st.sampled_from("ab:+-.~_/ é"), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def operators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The module under test; Airflow reads where its home is when it is imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
        yield importlib.import_module("lakehouse.orchestration.operators")


def run(operators: Any, monkeypatch: pytest.MonkeyPatch, how: Any, **arguments: Any) -> Any:
    """Execute a task whose step ends as `how` says."""
    from airflow.sdk import DAG

    def run_step(_settings: Any, step: str, run_id: str, *, do: Any) -> dict[str, Any]:
        assert do is None
        if isinstance(how, Exception):
            raise how
        return {"step": step, "run_id": run_id, **how}

    monkeypatch.setattr(chain, "run_step", run_step)
    with DAG("daily", schedule=None):
        task = operators.LakehouseOperator(task_id="load", step="bronze", **arguments)
    return task.execute({"run_id": "monday", "ti": None})


def test_the_counts_of_a_step_are_the_result_as_json_has_them(
    operators: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = run(operators, monkeypatch, {"rows": 3, "evolved": ("note text",)})
    said = {"step": "bronze", "run_id": "daily.monday", "rows": 3, "evolved": ["note text"]}
    assert counts == said


def test_a_step_with_nothing_to_do_is_skipped(
    operators: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(operators.AirflowSkipException, match="nothing changed"):
        run(operators, monkeypatch, {"skipped": "nothing changed since monday"})


@pytest.mark.parametrize(
    ("error", "final", "raised"),
    [
        (RefusedError("the gate is closed", hint="look"), False, "AirflowFailException"),
        (LakehouseError("3 rows failed", hint="look"), True, "AirflowFailException"),
        (LakehouseError("the server is away", hint="wait"), False, "LakehouseError"),
        (LockHeldError("somebody has the lake", hint="wait"), False, "LockHeldError"),
        (AWAY, True, "RefusedError"),
    ],
)
def test_only_what_may_pass_by_itself_is_tried_again(
    operators: Any,
    monkeypatch: pytest.MonkeyPatch,
    error: LakehouseError,
    final: bool,
    raised: str,
) -> None:
    with pytest.raises(Exception, match=error.what) as caught:
        run(operators, monkeypatch, error, errors_are_final=final)
    assert caught.type.__name__ == raised


@given(one=NAMES, other=NAMES)
def test_runs_have_safe_names_and_never_the_same(one: str, other: str) -> None:
    name = safe_run_id("daily", one)
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", name)
    assert (name == safe_run_id("daily", other)) == (one == other)
