"""What holds for every command, found by walking the command tree, so that a new one is in it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from lakehouse.cli.commands import lakehouse
from lakehouse.settings import Settings, export


def leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, (*path, name))
        else:
            yield (*path, name)


COMMANDS = sorted(leaves(lakehouse))
LOCAL = {("doctor",), ("down",), ("up",)}
"""Commands that reach no server named by the settings."""
every_command = pytest.mark.parametrize("command", COMMANDS, ids=" ".join)


def run(
    command: tuple[str, ...], lake: Settings, *options: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lakehouse", *command, *options],
        env=export(lake) | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def assert_one_clear_error(done: subprocess.CompletedProcess[str], status: int) -> None:
    assert done.returncode == status, done.stderr
    error, following = done.stderr.splitlines()
    assert error.startswith("error: ")
    assert following.startswith("  next: ")
    assert "Traceback" not in done.stdout + done.stderr


@every_command
def test_an_unknown_option_is_wrong_usage(command: tuple[str, ...], lake: Settings) -> None:
    done = run(command, lake, "--no-such-option")
    assert_one_clear_error(done, 2)
    assert "--no-such-option" in done.stderr
    assert done.stdout == ""


@every_command
def test_a_wrong_setting_is_named(command: tuple[str, ...], lake: Settings) -> None:
    done = run(command, lake, LAKEHOUSE_ENGINE="oracle")
    assert_one_clear_error(done, 2)
    assert "LAKEHOUSE_ENGINE is 'oracle'" in done.stderr


@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in LOCAL], ids=" ".join)
def test_an_unreachable_server_is_named(command: tuple[str, ...], lake: Settings) -> None:
    with socket.socket() as taken:  # bound and never listening, so nobody answers there
        taken.bind(("127.0.0.1", 0))
        dsn = f"postgresql://nobody@127.0.0.1:{taken.getsockname()[1]}/none"
        done = run(command, lake, "--json", ERP_DSN=dsn, WAREHOUSE_DSN=dsn)
    assert_one_clear_error(done, 1)
    assert "reach" in done.stderr
    assert json.loads(done.stdout)["status"] == 1


def test_an_unknown_command_is_wrong_usage(lake: Settings) -> None:
    assert_one_clear_error(run(("no-such-command",), lake), 2)


def test_without_a_server_status_says_how_to_start_it(lake: Settings) -> None:
    done = run(("status",), lake)
    assert done.returncode == 0
    assert "lakehouse up" in done.stdout
