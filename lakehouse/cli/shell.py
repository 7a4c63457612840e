"""What all commands share: `--json`, exit statuses, and errors of one sentence."""

from __future__ import annotations

import errno
import functools
import json
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import click
import psycopg2

from lakehouse import settings as lakehouse_settings
from lakehouse.errors import LakehouseError, SettingsError, one_line

INTERRUPTED = 130


@dataclass(frozen=True)
class Answer:
    """What a command found out: `data` for `--json`, `text` for a person."""

    data: dict[str, Any]
    text: str


class _Stop:
    """Whether somebody wants this process to stop: SIGTERM is what Ctrl-C is."""

    def __init__(self) -> None:
        self.is_asked = False
        signal.signal(signal.SIGTERM, self._ask)
        if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:  # as a shell's background job has it
            signal.signal(signal.SIGINT, self._ask)

    def _ask(self, *_: object) -> NoReturn:
        self.is_asked = True
        raise KeyboardInterrupt


def answers(function: Callable[..., Answer]) -> Callable[..., None]:
    """Give a command its settings and `--json`, and print its answer or its error."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
    @functools.wraps(function)
    def command(*args: Any, as_json: bool, **options: Any) -> None:
        stop = _Stop()
        try:
            answer = function(lakehouse_settings.load(), *args, **options)
        except KeyboardInterrupt:
            fail_interrupted(as_json=as_json)
        except Exception as error:
            if stop.is_asked:  # and what we caught is only what a library made of it
                fail_interrupted(as_json=as_json)
            fail(explain(error), as_json=as_json)
        click.echo(json.dumps(answer.data, default=str) if as_json else answer.text)

    return command


def explain(error: Exception) -> LakehouseError:
    """Say in one sentence what went wrong; what we did not foresee is kept with its traceback."""
    if isinstance(error, LakehouseError):
        return error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return LakehouseError(
            f"no space is left on the disk for {error.filename or 'the lake'}",
            hint="free some space, then run the same command again",
        )
    if isinstance(error, OSError) and error.errno in (errno.EROFS, errno.EACCES):
        return LakehouseError(
            f"{error.filename} cannot be written: {error.strerror}",
            hint="make it writable, or set LAKEHOUSE_HOME to a folder that is",
        )
    if isinstance(error, psycopg2.Error):
        return LakehouseError(
            f"PostgreSQL said: {one_line(error)}",
            hint="run `lakehouse status` to see whether the server runs, then the same again",
        )
    return _unforeseen(error)


def fail(error: LakehouseError, *, as_json: bool = False, status: int | None = None) -> NoReturn:
    """Print the error, as a sentence and a way on, and end with its status."""
    exit_status = error.exit_status if status is None else status
    if as_json:
        click.echo(json.dumps({"error": error.what, "hint": error.hint, "status": exit_status}))
    click.echo(f"error: {error.what}\n  next: {error.hint}", err=True)
    sys.exit(exit_status)


def invoke(group: click.Group, arguments: list[str] | None) -> NoReturn:
    """Run the command line; wrong usage is one sentence like any other error."""
    try:
        group.main(args=arguments, prog_name="lakehouse", standalone_mode=False)
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "lakehouse"
        fail(SettingsError(error.format_message(), hint=f"see `{path} --help`"))
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.Abort:
        fail_interrupted()
    sys.exit(0)


def fail_interrupted(*, as_json: bool = False) -> NoReturn:
    """Say that we were stopped and how to go on; whoever stopped us reads it in the status."""
    # A stop that fell into source text being run, as when a dataclass is made, leaves a mark by
    # which Python ends as killed by SIGINT, whoever has caught it. The next such text clears it.
    exec("")
    error = LakehouseError(
        "stopped before it was done; what was served before is still served",
        hint="run the same command again: it goes on where it stopped",
    )
    fail(error, as_json=as_json, status=INTERRUPTED)


def _unforeseen(error: Exception) -> LakehouseError:
    log = lakehouse_settings.load().home / "error.log"
    what = f"{type(error).__name__}: {one_line(error)}"
    try:
        log.write_text("".join(traceback.format_exception(error)), "utf8")
    except OSError:
        # The traceback is all there is to go by, and there is no file to keep it in.
        return LakehouseError("".join(traceback.format_exception(error)), hint="report this bug")
    return LakehouseError(what, hint=f"this is a bug: please report it with {log}")
