"""Ctrl-C, and two at once: nothing half-done is served, and the way on is said."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from lakehouse import publish
from lakehouse.errors import RefusedError
from lakehouse.orchestration import chain
from lakehouse.settings import Settings, export

pytestmark = pytest.mark.server


def test_ctrl_c_stops_a_run_that_nobody_could_join(demo_lake: Settings) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "lakehouse", "run", "--demo"],
        env=export(demo_lake),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job would have it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as run:
        assert run.stderr is not None
        for line in run.stderr:
            if line.startswith("bronze"):
                break
        with pytest.raises(RefusedError, match=f"held by `lakehouse run`, process {run.pid}, "):
            chain.run(demo_lake)
        run.send_signal(signal.SIGINT)  # dbt is being imported, or parses, or builds
        stdout, stderr = run.communicate()

    assert (run.returncode, stdout) == (130, "")
    error, following = stderr.splitlines()
    assert error.startswith("error: stopped before it was done")
    assert "run the same command again" in following
    status = {row["step"]: row["status"] for row in chain.last_run(demo_lake)}
    assert status == {"demo": "done", "extract": "done", "bronze": "done", "dbt_run": "running"}
    assert publish.served(demo_lake) is None
    with pytest.raises(RefusedError, match="not built and tested"):
        chain.run_step(demo_lake, "checkpoint")
