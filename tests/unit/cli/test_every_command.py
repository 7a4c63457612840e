"""What holds for every command, found by walking the command tree, so that a new one is in it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import click
import pytest

from lakehouse.cli.commands import lakehouse, main
from lakehouse.settings import Settings, export


def leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, (*path, name))
        else:
            yield (*path, name)


COMMANDS = sorted(leaves(lakehouse))
LOCAL = {
    ("airflow",),
    ("bronze", "maintain"),
    ("bronze", "quarantine", "list"),
    ("bronze", "quarantine", "replay"),
    ("docs",),
    ("doctor",),
    ("down",),
    ("sources", "sync"),
    ("ui",),
    ("up",),
}
"""Commands that reach no server named by the settings."""
NOBODY_THERE = "postgresql://nobody@127.0.0.1:1/none"
every_command = pytest.mark.parametrize("command", COMMANDS, ids=" ".join)


@dataclass(frozen=True)
class Done:
    """What a command left: its exit status and what it printed."""

    status: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(lake: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process, where its imports are paid for once."""

    def in_process(command: tuple[str, ...], *options: str, **environment: str) -> Done:
        for name, value in (export(lake) | environment).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as exit_:
            main([*command, *options])
        assert isinstance(exit_.value.code, int)
        return Done(exit_.value.code, *capsys.readouterr())

    return in_process


def assert_one_clear_error(done: Done, status: int) -> None:
    assert done.status == status, done.stderr
    error, following = done.stderr.splitlines()
    assert error.startswith("error: ")
    assert following.startswith("  next: ")
    assert "Traceback" not in done.stdout + done.stderr


@every_command
def test_an_unknown_option_is_wrong_usage(command: tuple[str, ...], run: Run) -> None:
    done = run(command, "--no-such-option")
    assert_one_clear_error(done, 2)
    assert "--no-such-option" in done.stderr
    assert done.stdout == ""


@every_command
def test_a_wrong_setting_is_named(command: tuple[str, ...], run: Run) -> None:
    done = run(command, LAKEHOUSE_ENGINE="oracle")
    assert_one_clear_error(done, 2)
    assert "LAKEHOUSE_ENGINE is 'oracle'" in done.stderr


@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in LOCAL], ids=" ".join)
def test_an_unreachable_server_is_named(command: tuple[str, ...], run: Run) -> None:
    done = run(command, "--json", ERP_DSN=NOBODY_THERE, WAREHOUSE_DSN=NOBODY_THERE)
    status = 3 if command == ("cdc", "resync") else 1  # the change log's reader refuses
    assert_one_clear_error(done, status)
    assert "reach" in done.stderr
    assert json.loads(done.stdout)["status"] == status


def test_an_unknown_command_is_wrong_usage(run: Run) -> None:
    assert_one_clear_error(run(("no-such-command",)), 2)


def test_without_a_server_status_says_how_to_start_it(run: Run) -> None:
    done = run(("status",))
    assert done.status == 0
    assert "lakehouse up" in done.stdout


def test_a_process_ends_with_the_status_and_keeps_stdout_for_answers(lake: Settings) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lakehouse", "status", "--json"],
        env=export(lake),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["running"] is False


def test_a_drift_is_accepted_with_a_reason_or_not_at_all(run: Run) -> None:
    for options in (["--accept", "run-1"], ["--reason", "we bought a company"]):
        refused = run(("gate", *options))
        assert refused.status == 2
        assert "--accept and --reason go together" in refused.stderr
