"""`make setup` on a machine that cannot have it says so in one sentence and makes nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from lakehouse.settings import PROJECT

# An interpreter is asked three things: its version, whether that will do, whether it has venv.
TOO_OLD = 'case "$2" in *"%d.%d"*) echo 3.10 ;; *) exit 1 ;; esac'
NO_VENV = 'case "$2" in *"%d.%d"*) echo 3.12 ;; *ensurepip*) exit 1 ;; esac'


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        (TOO_OLD, "Python 3.11 or newer is needed (looked for {0}; {0} is 3.10)"),
        (NO_VENV, "{0} has no venv module: install it"),
        (None, "Python 3.11 or newer is needed (looked for {0})"),
    ],
)
def test_setup_says_what_is_missing(tmp_path: Path, answers: str | None, sentence: str) -> None:
    checkout = tmp_path / "a lake"
    (checkout / "requirements").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "requirements/dev.txt"):
        shutil.copy(PROJECT / name, checkout / name)
    python = tmp_path / "some python"
    if answers is not None:
        python.write_text(f"#!/bin/sh\n{answers}\n")
        python.chmod(0o755)
    done = subprocess.run(
        ["make", "setup", f"PYTHON={python}"], cwd=checkout, capture_output=True, text=True
    )
    lines = done.stderr.splitlines()
    assert done.returncode != 0
    assert lines[0].startswith(sentence.format(python))
    assert [line for line in lines[1:] if not line.startswith("make")] == []
    assert not (checkout / ".venv").exists()
