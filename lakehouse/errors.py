"""The errors a person may see: what happened, to what, and the next command."""

from __future__ import annotations

import re


def first_line(error: BaseException) -> str:
    """What an error says first; what a database adds to it is about its own insides."""
    return next(iter(str(error).strip().splitlines()), repr(error))


def one_line(text: object) -> str:
    """A text, or what an error says, without its line breaks and runs of spaces."""
    return " ".join(str(text).split())


LOST = re.compile(
    "connection to server|to connect to postgres|closed the connection|terminating connection"
    "|no connection to the server|connection already closed|connection has been closed"
    "|(receive|send) data (from|to) server|the database system is",
    re.IGNORECASE,
)
"""What libpq, its drivers and DuckDB say of a server that is away, whoever passes it on."""


class LakehouseError(Exception):
    """A failure with an exit status and a way on, so that nobody has to read a traceback."""

    exit_status = 1

    def __init__(self, what: str, *, hint: str) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class SettingsError(LakehouseError):
    """A setting or an option that cannot be: the caller has to change the call."""

    exit_status = 2


class ServerAwayError(LakehouseError):
    """A database server was lost in the middle of it: the same again may go well."""


class RefusedError(LakehouseError):
    """A guard or a gate said no: nothing was changed."""

    exit_status = 3


def failure(said: object) -> type[LakehouseError]:
    """The kind of error to raise for what was said: of a server that is away, or of anything."""
    return ServerAwayError if LOST.search(one_line(said)) else LakehouseError
