"""Serve the staged marts: one transaction renames the schemas, and readers never see a mix.

A rename alone is not enough: a query finds its tables one by one, and could find one before the
rename and another after it. So the swap first locks every served table. Whoever holds one finishes
with the old marts; whoever waits finds all the new ones.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, datetime

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from lakehouse import ops
from lakehouse.errors import LakehouseError, RefusedError, first_line
from lakehouse.progress import log
from lakehouse.settings import Settings

TRIES = 10
PAUSE_S = 1.0
# For all the locks together, hence no lock_timeout, which counts each one anew: below half of
# deadlock_timeout (1 s), because a reader that waits for us longer than that, while we wait for
# it, would be cancelled as part of a deadlock.
PATIENCE = "400ms"

SERVED = """
    select run_id, as_of_date, published_at, marts from ops.published
    where run_id = obj_description(to_regnamespace('marts'), 'pg_namespace')
    order by published_at desc limit 1
"""
STAGED = """
    select obj_description(to_regnamespace('marts_next'), 'pg_namespace'), passed_at
    from (values (1)) as one left join ops.gates on run_id = %s
"""
BLOCKERS = """
    select distinct activity.pid, coalesce(nullif(application_name, ''), usename), xact_start
    from pg_locks as locks
    join pg_class on pg_class.oid = locks.relation
    join pg_stat_activity as activity on activity.pid = locks.pid
    where relnamespace = any(array[to_regnamespace('marts'), to_regnamespace('marts_previous')])
        and granted and activity.pid <> pg_backend_pid()
    order by xact_start limit 1
"""


@dataclass(frozen=True)
class Served:
    """The marts that readers see."""

    run_id: str
    as_of_date: date | None
    published_at: datetime
    marts: dict[str, int]


@dataclass(frozen=True)
class Swapped:
    """What is served now; not swapped when this run's marts already were."""

    served_as_of: str | None
    swapped: bool


class _BlockedError(Exception):
    """A reader kept a table for longer than a swap may wait at a time."""


def served(settings: Settings) -> Served | None:
    """What readers see now; None before the first publish."""
    with ops.warehouse(settings) as connection, connection.cursor() as cursor:
        return _served(cursor)


def swap(settings: Settings, *, run_id: str) -> Swapped:
    """Serve the staged marts of this run, if the gate passed them; keep the ones before."""
    for attempt in range(1, TRIES + 1):
        try:
            with ops.warehouse(settings) as connection, connection.cursor() as cursor:
                return _swap(cursor, run_id)
        except _BlockedError:
            log.info("swap: a reader holds the served marts, attempt %d of %d", attempt, TRIES)
            if attempt < TRIES:
                time.sleep(PAUSE_S)
        except psycopg2.Error as error:
            raise LakehouseError(
                f"the swap of the marts was broken off: {first_line(error)}",
                hint="readers see whole marts, the old or the new; run `lakehouse publish` again",
            ) from error
    raise LakehouseError(
        f"the marts were not swapped, and stay as they were: {_blocker(settings)}",
        hint="wait until it has ended, or end it, then run `lakehouse publish`",
    )


def _swap(cursor: Cursor, run_id: str) -> Swapped:
    now_served = _served(cursor)
    cursor.execute(STAGED, (run_id,))
    staged_run, passed_at = cursor.fetchone() or (None, None)
    if staged_run != run_id:
        if now_served and now_served.run_id == run_id:
            return Swapped(_day(now_served.as_of_date), swapped=False)
        raise RefusedError(
            f"run {run_id} has nothing to publish: marts_next "
            + (f"holds the marts of run {staged_run}" if staged_run else "is not there"),
            hint="run `lakehouse gate`, then `lakehouse publish`",
        )
    if passed_at is None:
        raise RefusedError(
            f"the gate has not passed the marts of run {run_id}; those before stay served",
            hint="run `lakehouse gate`: it says what is wrong",
        )
    _lock(cursor)
    _rename(cursor)
    cursor.execute(
        "insert into ops.published (run_id, as_of_date, marts)"
        " select run_id, as_of_date, marts from ops.gates where run_id = %s returning as_of_date",
        (run_id,),
    )
    (as_of_date,) = cursor.fetchone() or (None,)
    return Swapped(_day(as_of_date), swapped=True)


def _lock(cursor: Cursor) -> None:
    """Wait a moment until nobody reads a mart, and let nobody begin to until we commit."""
    cursor.execute(
        "select schemaname, tablename from pg_tables"
        " where schemaname in ('marts', 'marts_previous') order by 1, 2"
    )
    tables = [sql.Identifier(*names) for names in cursor]
    if not tables:
        return
    cursor.execute("set local statement_timeout = %s", (PATIENCE,))
    try:
        cursor.execute(sql.SQL("lock table {}").format(sql.SQL(", ").join(tables)))
    except psycopg2.errors.QueryCanceled:
        raise _BlockedError from None
    cursor.execute("set local statement_timeout = 0")


def _rename(cursor: Cursor) -> None:
    cursor.execute("drop schema if exists marts_previous cascade")
    cursor.execute("select to_regnamespace('marts') is not null")
    if cursor.fetchone() == (True,):
        cursor.execute("alter schema marts rename to marts_previous")
    cursor.execute("alter schema marts_next rename to marts")


def _served(cursor: Cursor) -> Served | None:
    cursor.execute(SERVED)
    row = cursor.fetchone()
    return Served(*row) if row else None


def _blocker(settings: Settings) -> str:
    with ops.warehouse(settings) as connection, connection.cursor() as cursor:
        cursor.execute(BLOCKERS)
        row = cursor.fetchone()
    if row is None:
        return f"readers held them at each of {TRIES} attempts"
    pid, name, since = row
    return f"{name}, server process {pid}, reads them since {since:%F %T %Z}"


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
