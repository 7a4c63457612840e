"""A session of the ERP, for whoever plays the demo company and for whoever asks about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2 import errors
from psycopg2.extensions import cursor as Cursor

from lakehouse.erp import postgres
from lakehouse.errors import LakehouseError, RefusedError, first_line
from lakehouse.settings import Settings

ONE_AT_A_TIME = 20241001  # the number of the advisory lock
LOCK_TIMEOUT = "10s"  # the session of a process killed a moment ago may be committing still


@contextmanager
def playing(settings: Settings) -> Iterator[Cursor]:
    """The one session that plays the company; it says itself when to begin and to commit."""
    with looking(settings) as cursor:
        try:
            cursor.execute("select pg_advisory_lock(%s)", (ONE_AT_A_TIME,))
        except errors.LockNotAvailable as error:
            raise RefusedError(
                "another process holds the demo company",
                hint="wait until it has ended, then run the same command again",
            ) from error
        yield cursor


@contextmanager
def looking(settings: Settings) -> Iterator[Cursor]:
    """A session that commits each statement; a lost one becomes a clear error."""
    dsn = postgres.erp_dsn(settings)
    try:
        connection = psycopg2.connect(
            dsn,
            connect_timeout=10,
            client_encoding="UTF8",
            options=f"-c lock_timeout={LOCK_TIMEOUT} -c timezone=UTC -c datestyle=ISO",
        )
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()
    except errors.LockNotAvailable as error:
        raise RefusedError(
            f"another session of the ERP holds what the demo company needs: {first_line(error)}",
            hint="end that session's transaction, then run the same command again",
        ) from error
    except errors.InsufficientPrivilege as error:
        raise LakehouseError(
            f"the ERP does not let the demo company in: {first_line(error)}",
            hint="give ERP_DSN a user who owns the database",
        ) from error
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        raise LakehouseError(
            f"the ERP {'failed' if error.pgcode else 'cannot be reached'}: {first_line(error)}",
            hint="see that it is up (the embedded one: `lakehouse up`), then run the same command "
            "again: it goes on where it stopped",
        ) from error
