"""The embedded PostgreSQL's first start: by any user, on any disk, and interrupted anywhere."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse import settings as lakehouse_settings
from lakehouse.erp import cluster, postgres
from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings
from tests.integration.living import execute
from tests.integration.processes import processes

pytestmark = pytest.mark.server

INTERRUPTED = """
import os, signal, subprocess, sys
from lakehouse import settings
from lakehouse.erp import postgres

run = subprocess.run

def interrupted(command, **options):
    done = run(command, **options)
    if any("initdb" in part for part in command):
        os.kill(os.getpid(), getattr(signal, sys.argv[1]))
    return done

subprocess.run = interrupted
postgres.up(settings.load())
"""
UP = """
from lakehouse import settings
from lakehouse.erp import postgres

postgres.up(settings.load())
"""


@pytest.fixture
def small_disk(lake: Settings) -> Iterator[Path]:
    """The lake's folder on a disk of 24 MB."""
    lake.home.mkdir(mode=0o700)
    options = "size=24m,mode=0700"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(lake.home)]
    if shutil.which("mount") is None or subprocess.run(command, check=False).returncode != 0:
        pytest.skip("only root may mount a small disk")
    yield lake.home
    subprocess.run(["umount", str(lake.home)], check=True)


def test_a_checkout_that_is_closed_to_others_is_no_hindrance(
    lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = lake.home.parent / "closed"
    closed.mkdir(mode=0o700)
    package = cluster.binaries().parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    copied = closed / package.name / "pginstall18"
    shutil.copytree(package / "pginstall18", copied, symlinks=True)
    shutil.copytree(libraries, closed / libraries.name)
    for module in (cluster, postgres):
        monkeypatch.setattr(module, "binaries", lambda: copied / "bin")
    postgres.up(lake)
    pid = processes(lake)[0]
    assert Path(f"/proc/{pid}/exe").readlink().is_relative_to(closed)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become nobody")
@pytest.mark.parametrize("mode", ["namespace", "ambient"])
def test_root_runs_it_as_nobody(mode: str, lake: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    command = [*cluster._as_nobody(mode), "/bin/true"]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip(f"this machine does not allow the way `{mode}`")
    monkeypatch.setattr(cluster, "identity", lambda: mode)
    server = postgres.up(lake)
    execute(server.dsn("erp"), "create table kept as select 42 as answer")
    status = Path(f"/proc/{processes(lake)[0]}/status").read_text("utf8")
    uid = next(line.split()[1] for line in status.splitlines() if line.startswith("Uid:"))
    assert uid == {"namespace": "0", "ambient": "65534"}[mode]  # as seen from outside
    if mode == "ambient":  # another container may allow the other way, which takes the data over
        postgres.down(lake)
        monkeypatch.undo()
        assert execute(postgres.up(lake).dsn("erp"), "table kept") == [(42,)]


def start(lake: Settings, *script: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", *script],
        env=lakehouse_settings.export(lake),
        cwd=lakehouse_settings.PROJECT,
        stderr=subprocess.PIPE,
        # A shell's background job would have it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_ctrl_c_in_initdb_leaves_nothing(lake: Settings) -> None:
    _, said = start(lake, INTERRUPTED, "SIGINT").communicate()
    assert b"KeyboardInterrupt" in said
    assert [path.name for path in lake.postgres_home.iterdir()] == ["up.lock"]


def test_after_kill_9_in_initdb_two_at_once_make_one_whole_server(lake: Settings) -> None:
    dead = start(lake, INTERRUPTED, "SIGKILL")
    dead.communicate()
    assert dead.returncode == -9
    assert not (lake.postgres_home / "data").exists()
    both = [start(lake, UP), start(lake, UP)]
    assert [process.communicate()[1] for process in both] == [b"", b""]
    assert execute(cluster.read(lake).dsn("erp"), "select 42") == [(42,)]
    assert not list(lake.postgres_home.glob("new-*"))


def test_a_full_disk_is_named_before_anything_is_made(lake: Settings, small_disk: Path) -> None:
    with pytest.raises(LakehouseError, match=f"{small_disk}.* has .* MB left"):
        postgres.up(lake)
    assert not (lake.postgres_home / "data").exists()


def test_a_disk_that_fills_up_in_initdb_leaves_nothing(
    lake: Settings, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "ROOM_MB", 0)
    with pytest.raises(LakehouseError, match="No space left on device"):
        postgres.up(lake)
    assert {path.name for path in (small_disk / "postgres").iterdir()} == {"up.lock"}


def test_a_read_only_folder_is_named(lake: Settings, small_disk: Path) -> None:
    lake.postgres_home.mkdir(mode=0o700)
    bind = ["mount", "--bind", str(lake.postgres_home), str(lake.postgres_home)]
    subprocess.run(bind, check=True)
    try:
        subprocess.run([*bind[:1], "-o", "remount,bind,ro", bind[-1]], check=True)
        with pytest.raises(LakehouseError, match=f"{small_disk}.*Read-only file system"):
            postgres.up(lake)
    finally:
        subprocess.run(["umount", str(lake.postgres_home)], check=True)
