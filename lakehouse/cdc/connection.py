"""The two connections to the ERP: one that asks, one that the change log comes through."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extras import LogicalReplicationConnection, ReplicationCursor

from lakehouse.erp import postgres
from lakehouse.errors import LakehouseError, first_line
from lakehouse.settings import Settings

C = TypeVar("C", bound=Connection)

SLOT = "lakehouse"
PUBLICATION = "lakehouse"
SCHEMA = "public"

# Both connections must write a value as the same text.
# wal_sender_timeout=0: psycopg2 answers the server's questions with a flush position that it
# moves forward by itself, even past changes that are not durable here. So the server must not
# ask; TCP tells it when we are gone.
_SESSION = {
    "timezone": "UTC",
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "wal_sender_timeout": "0",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}


@dataclass(frozen=True)
class Erp:
    """A server to be read: `log` for the change log and its slot, `session` for all else."""

    session: Connection
    log: ReplicationCursor

    def row(self, query: str, values: tuple[object, ...] = ()) -> tuple[Any, ...] | None:
        """The first row of a query."""
        with self.session.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchone()

    def flushed_lsn(self) -> int:
        """Everything committed so far lies before this position."""
        found = self.row("select (pg_current_wal_flush_lsn() - '0/0')::bigint")
        return int(cast("tuple[int]", found)[0])

    def nudge(self) -> None:
        """Commit next to nothing, when the change log has been quiet before its expected end.

        That end may lie inside a record that is not written whole yet; behind a commit there is
        one that comes. And it fails when the server is stopping, which would wait for the reader
        as the reader waits for it.
        """
        self.row("select pg_logical_emit_message(true, 'lakehouse.nudge', '')")

    def confirm(self, lsn: int) -> None:
        """Let the server forget what was committed before this position."""
        send: Any = self.log.send_feedback
        send(write_lsn=lsn, flush_lsn=lsn, apply_lsn=lsn, force=True)


@contextmanager
def connect(settings: Settings) -> Iterator[Erp]:
    """Both connections for the length of a block; a lost one becomes a clear error."""
    dsn = postgres.erp_dsn(settings)
    session = _open(dsn, Connection)
    try:
        log = _open(dsn, LogicalReplicationConnection)
        try:
            session.autocommit = True
            yield Erp(session, log.cursor())
        except psycopg2.Error as error:
            raise LakehouseError(
                f"the ERP server broke off the reading of its changes: {first_line(error)}",
                hint="look at the server, then run `lakehouse cdc sync`: it goes on where it was",
            ) from error
        finally:
            log.close()
    finally:
        session.close()


def _open(dsn: str, kind: type[C]) -> C:
    try:
        return psycopg2.connect(
            dsn,
            connection_factory=kind,
            options=" ".join(f"-c {name}={value}" for name, value in _SESSION.items()),
            client_encoding="UTF8",
            connect_timeout=10,
            keepalives_idle=30,
            keepalives_interval=10,
        )
    except psycopg2.OperationalError as error:
        raise LakehouseError(
            f"the ERP server cannot be reached: {first_line(error)}",
            hint="run `lakehouse up`, or set ERP_DSN to a server and a role that may replicate",
        ) from error
