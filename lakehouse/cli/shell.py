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


def answers(function: Callable[..., Answer]) -> Callable[..., None]:
    """Give a command its settings and `--json`, and print its answer or its error."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
    @functools.wraps(function)
    def command(*args: Any, as_json: bool, **options: Any) -> None:
        # A stop is what Ctrl-C is.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            answer = function(lakehouse_settings.load(), *args, **options)
        except KeyboardInterrupt:
            fail(_interruption(), as_json=as_json, status=INTERRUPTED)
        except Exception as error:
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
        fail(_interruption(), status=INTERRUPTED)
    sys.exit(0)


def _interruption() -> LakehouseError:
    return LakehouseError(
        "stopped before it was done; what was served before is still served",
        hint="run the same command again: it goes on where it stopped",
    )


def _unforeseen(error: Exception) -> LakehouseError:
    log = lakehouse_settings.load().home / "error.log"
    what = f"{type(error).__name__}: {one_line(error)}"
    try:
        log.write_text("".join(traceback.format_exception(error)), "utf8")
    except OSError:
        # The traceback is all there is to go by, and there is no file to keep it in.
        return LakehouseError("".join(traceback.format_exception(error)), hint="report this bug")
    return LakehouseError(what, hint=f"this is a bug: please report it with {log}")
