"""The lake's lock: one holder, who is named, and who cannot leave it behind by dying."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lakehouse.errors import LakehouseError, RefusedError
from lakehouse.lock import holder, lake_lock
from lakehouse.settings import Settings, export

HOLD = """
import os, sys
from lakehouse.lock import lake_lock
from lakehouse.settings import load
with lake_lock(load(), "lakehouse run"):
    print(os.getpid(), flush=True)
    sys.stdin.read()
"""


def test_the_second_is_told_who_holds_it(lake: Settings) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD],
        env=export(lake),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        pid = other.stdout.readline().strip()
        with pytest.raises(RefusedError, match=f"`lakehouse run`, process {pid}, since "):
            lake_lock(lake, "lakehouse gate").__enter__()
        assert pid in (holder(lake) or "")
        other.kill()
    with lake_lock(lake, "lakehouse gate"):
        assert "`lakehouse gate`" in (holder(lake) or "")
    assert holder(lake) is None


def test_a_folder_that_cannot_be_written_is_named(lake: Settings) -> None:
    lake.home.parent.mkdir(exist_ok=True)
    lake.home.write_text("a file where the folder should be")
    with (
        pytest.raises(LakehouseError, match=f"{lake.home} cannot be written"),
        lake_lock(lake, "lakehouse run"),
    ):
        pytest.fail("the lock was given")
