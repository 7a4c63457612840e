"""The connections to the ERP: one that asks, one that the change log comes through."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ
from psycopg2.extensions import connection as Connection
from psycopg2.extras import LogicalReplicationConnection, ReplicationCursor

from lakehouse.cdc import feedback
from lakehouse.erp import postgres
from lakehouse.errors import LakehouseError, RefusedError, first_line
from lakehouse.settings import Settings

C = TypeVar("C", bound=Connection)

SLOT = "lakehouse"
PATIENCE_S = 60.0
"""How long a question to the ERP may stay without an answer."""

# All connections must write a value as the same text.
# wal_sender_timeout=0: psycopg2 answers the server's questions only while it is reading. So the
# server must not ask: we tell it where we are every few seconds, and TCP tells it if we are gone.
_SESSION = {
    "timezone": "UTC",
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "wal_sender_timeout": "0",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "60000",
}


_LOSSES = ("08", "53", "57", "58")
"""Classes of PostgreSQL's errors that pass: connection, resources, intervention, system."""


class ConnectionLostError(LakehouseError):
    """The server went away or does not answer: to try again later may help."""


class UnreachableError(ConnectionLostError):
    """There is no connection to begin with; unlike after a refusal, a later try may find one."""

    exit_status = 3


class Session:
    """A connection to ask on; a question that finds no answer in time is an error."""

    def __init__(self, dsn: str, patience_s: float | None = None) -> None:
        self._connection = _open(dsn, Connection, async_=True)
        self._patience_s = PATIENCE_S if patience_s is None else patience_s
        try:
            self._answer()
        except psycopg2.Error as error:
            self.close()
            raise _unreachable(error) from error

    def rows(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Every row of a query."""
        with self._connection.cursor() as cursor:
            cursor.execute(query, values)
            self._answer()
            return cursor.fetchall() if cursor.description else []

    def row(self, query: str, values: tuple[object, ...] = ()) -> tuple[Any, ...] | None:
        """The first row of a query."""
        return next(iter(self.rows(query, values)), None)

    def one(self, query: str, values: tuple[object, ...] = ()) -> Any:
        """The one value of a query that has one."""
        ((value,),) = self.rows(query, values)
        return value

    def flushed_lsn(self) -> int:
        """Everything committed so far lies before this position."""
        return int(self.one("select (pg_current_wal_flush_lsn() - '0/0')::bigint"))

    def nudge(self) -> None:
        """Commit next to nothing, so that the change log has something to tell of.

        The end that a reader waits for may lie inside a record that is not written whole yet, and
        an idle database gives the slot no reason to move on and let go of others' log. And it
        fails when the server is stopping, which would wait for the reader as that for the server.
        """
        self.row("select pg_logical_emit_message(true, 'lakehouse.nudge', '')")

    def close(self) -> None:
        self._connection.close()

    def _answer(self) -> None:
        deadline = time.monotonic() + self._patience_s
        while (waits_for := self._connection.poll()) != POLL_OK:
            left = max(0.0, deadline - time.monotonic())
            one, none = [self._connection], list[Connection]()
            read, write = (one, none) if waits_for == POLL_READ else (none, one)
            if not any(select.select(read, write, [], left)):
                raise psycopg2.OperationalError(f"no answer within {self._patience_s:.0f} seconds")


@dataclass(frozen=True)
class Erp:
    """A server to be read: `log` for the change log and its slot, `session` for all else."""

    dsn: str
    session: Session
    log: ReplicationCursor

    @contextmanager
    def hurried(self) -> Iterator[None]:
        """Break the log's connection if the block's commands find no answer in time."""
        with socket.socket(fileno=os.dup(self.log.connection.fileno())) as twin:
            timer = threading.Timer(PATIENCE_S, twin.shutdown, (socket.SHUT_RDWR,))
            timer.start()
            try:
                yield
            finally:
                timer.cancel()

    def confirm(self, lsn: int) -> None:
        """Let the server forget what was committed before this position."""
        feedback.confirm(self.log.connection, lsn)


@contextmanager
def connect(settings: Settings) -> Iterator[Erp]:
    """The connections for the length of a block; a lost one becomes a clear error."""
    dsn = postgres.erp_dsn(settings)
    session = Session(dsn)
    try:
        log = _replication(dsn)
        try:
            yield Erp(dsn, session, log.cursor())
        except psycopg2.Error as error:
            raise _lost(error) from error
        finally:
            log.close()
    finally:
        session.close()


def reading(dsn: str) -> Connection:
    """One more connection, to copy a table through."""
    return _open(dsn, Connection)


def _replication(dsn: str) -> LogicalReplicationConnection:
    try:
        return _open(dsn, LogicalReplicationConnection)
    except psycopg2.OperationalError as error:
        if "permission denied" in str(error) or "must be superuser" in str(error):
            user = psycopg2.extensions.parse_dsn(dsn).get("user", "…")
            raise RefusedError(
                f"the role {user} of ERP_DSN may not read the ERP's change log",
                hint=f"run `alter role {user} replication` there as a superuser",
            ) from error
        if "no pg_hba.conf entry" in str(error):
            raise RefusedError(
                f"the ERP server lets nobody replicate from here: {first_line(error)}",
                hint="add a line for this host and role to its pg_hba.conf, and reload it",
            ) from error
        raise _unreachable(error) from error


def _open(dsn: str, kind: type[C], **more: Any) -> C:
    try:
        connection: C = psycopg2.connect(
            dsn,
            connection_factory=kind,
            options=" ".join(f"-c {name}={value}" for name, value in _SESSION.items()),
            client_encoding="UTF8",
            connect_timeout=10,
            keepalives_idle=30,
            keepalives_interval=10,
            keepalives_count=3,
            tcp_user_timeout=60_000,
            **more,
        )
        return connection
    except psycopg2.OperationalError as error:
        if kind is LogicalReplicationConnection:
            raise
        raise _unreachable(error) from error


def _lost(error: psycopg2.Error) -> LakehouseError:
    hint = "look at the server, then run `lakehouse cdc sync`: it goes on where it was"
    if error.pgcode is None or error.pgcode[:2] in _LOSSES:
        what = f"the ERP server broke off the reading of its changes: {first_line(error)}"
        return ConnectionLostError(what, hint=hint)
    return LakehouseError(f"the ERP server said: {first_line(error)}", hint=hint)


def _unreachable(error: psycopg2.Error) -> UnreachableError:
    return UnreachableError(
        f"the ERP server cannot be reached: {first_line(error)}",
        hint="run `lakehouse up`, or set ERP_DSN to a server that runs",
    )
