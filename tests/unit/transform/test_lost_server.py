"""A build whose server was lost may go well the next time; any other failure would not."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

from lakehouse import ops
from lakehouse.errors import LakehouseError
from lakehouse.orchestration import incidents
from lakehouse.settings import Settings
from lakehouse.transform import dbt_runner, holidays, ranges, steps

LOST = [
    "Database Error server closed the connection unexpectedly This probably means the server"
    " terminated abnormally before or while processing the request.",
    "Database Error terminating connection due to administrator command SSL connection has been"
    " closed unexpectedly",
    'Database Error connection to server at "127.0.0.1", port 5433 failed: Connection refused',
    "Database Error the database system is shutting down",
]
WRONG = 'Database Error in model dim_items column "connection" does not exist'


@pytest.mark.parametrize("message", [*LOST, WRONG])
@pytest.mark.parametrize("step", ["dbt_run", "dbt_test"])
def test_only_a_node_that_lost_its_server_is_tried_again(
    lake: Settings, monkeypatch: pytest.MonkeyPatch, message: str, step: str
) -> None:
    node = dbt_runner.NodeResult("dim_items", "model", "error", 1.0, None, message, None, None)
    monkeypatch.setattr(ops, "warehouse", nullcontext)
    monkeypatch.setattr(ops, "record", lambda *_: None)
    monkeypatch.setattr(holidays, "load", lambda *_: None)
    monkeypatch.setattr("lakehouse.transform.models.fingerprint", lambda _: "models")
    monkeypatch.setattr(dbt_runner, "execute", lambda *_: [node])
    with pytest.raises(LakehouseError, match="dim_items failed: Database Error") as failed:
        run(lake, step)
    assert incidents.passes_by_itself(failed.value) == (message != WRONG)
    page = {"dbt_run": "model-failed", "dbt_test": "test-failed"}[step]
    assert incidents.page(step, failed.value) == (page if message == WRONG else "server-away")


def run(lake: Settings, step: str) -> None:
    manifest: Any = None
    if step == "dbt_run":
        frozen = ranges.Frozen(0, None, {}, "models")
        steps.build_over(lake, manifest, frozen, run_id="run-1")
    else:
        steps._test(lake, manifest, "run-1")
