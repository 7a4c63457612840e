"""What every command shares: however it is stopped, it says so and ends with one status."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = """
import os, signal
from threading import Timer
import click
from lakehouse.cli.shell import answers, invoke

def stop():
    os.kill(os.getpid(), signal.{signal})

@click.group()
def group(): pass

@group.command()
@answers
def stopped(settings):
    {body}

invoke(group, ["stopped"])
"""
BODIES = {
    "in code": "stop()",
    "in source text that is run": "Timer(0.1, stop).start(); exec('while True: pass')",
    "where a library makes an error of it": """
    try:
        stop()
    except KeyboardInterrupt:
        raise KeyError("javascript") from None
    """,
}


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
def test_a_stopped_command_ends_with_one_status(body: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "stopped.py").write_text(COMMAND.format(signal=name, body=body), "utf8")
    done = subprocess.run(
        [sys.executable, "-m", "stopped"],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        # A shell's background job would have it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert done.returncode == 130, done.stderr
    assert done.stderr.startswith("error: stopped before it was done")
