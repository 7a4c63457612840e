"""Faults injected into real processes and files; each ends with every row there, and once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pytest
from deltalake import DeltaTable

from lakehouse import bronze
from lakehouse.bronze import policy
from lakehouse.bronze.maintenance import maintain
from lakehouse.bronze.verify.conservation import check
from lakehouse.settings import Settings, export
from tests.unit.bronze.landed import (
    VOLATILE,
    in_bronze,
    in_quarantine,
    movement,
    put,
    table,
    without,
)

MOVEMENTS = "erp/stock_movements"
ROWS = 3_000
DIE = "os.kill(os.getpid(), signal.SIGKILL)"
POINTS = {
    "before the commit": ("Table", "commit", f"{DIE}"),
    "after the commit": ("Table", "commit", f"plain(*given, **named); {DIE}"),
    "in a part": ("Part", "_flush", f"plain(*given, **named); {DIE}"),
    "in the commit": ("Part", "finish", f"plain(*given, **named); {DIE}"),
}
"""Where a process dies: what is called there the `at`-th time, and what is done instead."""


def process(lake: Settings, body: str, wait: bool = True) -> subprocess.Popen[bytes]:
    """A process of its own that works on the lake."""
    script = (
        "import os, signal, sys, resource\n"
        "from lakehouse import bronze, settings\n"
        "from lakehouse.bronze.maintenance import maintain\n"
        "from lakehouse.bronze.parts import Part\n"
        "from lakehouse.bronze.tables import Table\n"
        "lake = settings.load()\n" + textwrap.dedent(body)
    )
    environment = {**os.environ, **export(lake)}
    running = subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stderr=subprocess.PIPE
    )
    if wait:
        running.wait(120)
    return running


def dying(point: str, at: int, work: str) -> str:
    owner, name, instead = POINTS[point]
    return f"""
    seen, plain = [], {owner}.{name}
    def replaced(*given, **named):
        seen.append(1)
        if len(seen) == {at}:
            {instead}
        else:
            return plain(*given, **named)
    {owner}.{name} = replaced
    {work}
    """


def deliver(lake: Settings) -> None:
    put(lake, b"no parquet", "0", "erp/items")
    put(lake, table([movement(n, note="\0" if n % 1000 == 0 else "") for n in range(ROWS)]), "1")
    put(lake, table([movement(ROWS)]), "2")


def state(lake: Settings) -> tuple[Counter[str], Counter[str]]:
    return without(in_bronze(lake), VOLATILE), without(in_quarantine(lake), VOLATILE)


def assert_nothing_lost_nor_twice(lake: Settings) -> None:
    undisturbed = Settings(**{**vars(lake), "lake_uri": f"{lake.lake_uri}/undisturbed"})
    deliver(undisturbed)
    bronze.load(undisturbed)
    bronze.load(lake)
    assert state(lake) == state(undisturbed)
    assert [one for one in check(lake) if one.problems] == []
    assert bronze.load(lake).files == 0


@pytest.mark.parametrize(
    ("point", "at"),
    [
        ("in a part", 2),
        ("after the commit", 3),
        pytest.param("before the commit", 1, marks=pytest.mark.long),
        pytest.param("before the commit", 4, marks=pytest.mark.long),
        pytest.param("after the commit", 1, marks=pytest.mark.long),
        pytest.param("after the commit", 4, marks=pytest.mark.long),
        pytest.param("in the commit", 2, marks=pytest.mark.long),
        pytest.param("in the commit", 4, marks=pytest.mark.long),
    ],
)
def test_a_load_that_is_killed_is_completed_by_the_next(
    lake: Settings, point: str, at: int
) -> None:
    deliver(lake)
    assert process(lake, dying(point, at, "bronze.load(lake)")).returncode == -signal.SIGKILL
    assert_nothing_lost_nor_twice(lake)


@pytest.mark.parametrize(
    "point", ["in a part", pytest.param("after the commit", marks=pytest.mark.long)]
)
def test_a_maintenance_that_is_killed_changes_no_row(lake: Settings, point: str) -> None:
    for number in range(policy.SMALL_PARTS):
        put(lake, table([movement(number)]), f"{number}")
        bronze.load(lake)
    before = state(lake)
    died = process(lake, dying(point, 1, "maintain(lake, dry_run=False)"))
    assert died.returncode == -signal.SIGKILL
    assert state(lake) == before
    maintain(lake, dry_run=False)
    assert state(lake) == before
    assert [one for one in check(lake) if one.problems] == []


def test_a_full_disk_takes_nothing_and_says_so(lake: Settings) -> None:
    bronze.load(lake)
    deliver(lake)
    died = process(
        lake,
        """
        resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, 8_000))
        bronze.load(lake)
        """,
    )
    assert died.returncode == 1
    assert died.stderr is not None
    assert b"cannot be written: " in died.stderr.read()
    assert_nothing_lost_nor_twice(lake)


def test_two_loaders_at_once_take_each_file_once(lake: Settings) -> None:
    bronze.load(lake)
    deliver(lake)
    loaders = [process(lake, "bronze.load(lake)", wait=False) for _ in range(2)]
    assert [one.wait(120) for one in loaders] == [0, 0]
    assert_nothing_lost_nor_twice(lake)


def test_a_commit_whose_part_is_missing_is_named(lake: Settings) -> None:
    deliver(lake)
    bronze.load(lake)
    [part, *_] = DeltaTable(bronze.table_uri(lake, "erp", "stock_movements")).file_uris()
    content = Path(part).read_bytes()
    Path(part).unlink()
    with pytest.raises(Exception, match="bronze cannot be read.*part-"):
        list(check(lake))
    # Loading goes on meanwhile: a commit reads no part of others.
    put(lake, table([movement(ROWS + 1)]), "3")
    assert bronze.load(lake).rows == 1
    Path(part).write_bytes(content)
    assert [one for one in check(lake) if one.problems] == []


@pytest.mark.parametrize("content", ["{ not json", "", '{"version": 99999, "size": 1}'])
def test_a_broken_last_checkpoint_is_no_loss(lake: Settings, content: str) -> None:
    deliver(lake)
    bronze.load(lake)
    for name in ("stock_movements", "items"):
        uri = bronze.table_uri(lake, "erp", name)
        DeltaTable(uri).create_checkpoint()
        Path(uri, "_delta_log", "_last_checkpoint").write_text(content)
    assert bronze.last_generation(lake) == 1
    put(lake, table([movement(ROWS + 1)]), "3")
    assert bronze.load(lake).rows == 1
    assert [one for one in check(lake) if one.problems] == []


def test_a_folder_that_cannot_be_written_is_named(lake: Settings) -> None:
    deliver(lake)
    bronze.load(lake)
    put(lake, table([movement(ROWS + 1)]), "3")
    home = Path(lake.lake_uri)
    home.parent.chmod(0o755)
    read_only = [path for path in home.rglob("*") if path.is_dir()]
    for path in (home, *read_only):
        path.chmod(0o555)
    # To root every folder can be written.
    refused = process(lake, "os.getuid() or os.setuid(65534)\nbronze.load(lake)")
    for path in (home, *read_only):
        path.chmod(0o755)
    assert refused.stderr is not None
    said = refused.stderr.read()
    assert b"stock_movements cannot be written: " in said
    assert b"Permission denied" in said
    assert bronze.load(lake).rows == 1


def test_texts_of_a_megabyte_arrive_whole(lake: Settings) -> None:
    text = "".join(f"{n:07d}ç" for n in range(125_000))
    put(lake, table([movement(n, note=text if n % 2 else None) for n in range(20)]), "a")
    bronze.load(lake)
    assert [row["note"] for row in in_bronze(lake)] == [text if n % 2 else None for n in range(20)]
    assert [one for one in check(lake) if one.problems] == []
