"""Serve the staged marts: one transaction renames the schemas, and readers never see a mix.

A rename alone is not enough: a query finds its tables one by one, and could find one before the
rename and another after it. So the swap first locks every served table. Whoever holds one finishes
with the old marts; whoever waits finds all the new ones.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json

from lakehouse import ops
from lakehouse.errors import LakehouseError, RefusedError, first_line
from lakehouse.progress import log
from lakehouse.publish import readers
from lakehouse.settings import Settings

Result = TypeVar("Result")
MARTS, NEXT, PREVIOUS = "marts", "marts_next", "marts_previous"
TRIES = 10
PAUSE_S = 1.0
# For all the locks together, hence no lock_timeout, which counts each one anew: below half of
# deadlock_timeout (1 s), because a reader that waits for us longer than that, while we wait for
# it, would be cancelled as part of a deadlock.
PATIENCE = "400ms"

SERVED = """
    select run_id, as_of_date, published_at, marts, publication, withdrawn_run, inputs
    from ops.published
    where run_id = obj_description(to_regnamespace('marts'), 'pg_namespace')
    order by publication desc limit 1
"""
LAST_PUBLISHED = """
    select run_id, as_of_date, published_at, marts, publication, withdrawn_run, inputs
    from ops.published where withdrawn_run is null order by publication desc limit 1
"""
PUBLISHED_BEFORE = """
    select run_id, as_of_date, published_at, marts, publication, withdrawn_run, inputs
    from ops.published order by publication desc limit 1 offset 1
"""
STAGED = """
    select obj_description(to_regnamespace('marts_next'), 'pg_namespace'),
        passed_at, as_of_date, marts, inputs
    from (values (1)) as one left join ops.gates on run_id = %s
"""
BEFORE = """
    select run_id, as_of_date, marts, inputs from ops.published
    where run_id = obj_description(to_regnamespace('marts_previous'), 'pg_namespace')
        and publication < coalesce(%s, publication + 1)
    order by publication desc limit 1
"""
PUBLISH = """
    insert into ops.published (run_id, as_of_date, marts, inputs, withdrawn_run, publication)
    select %s, %s, %s, %s, %s, greatest(
        (extract(epoch from clock_timestamp()) * 1000000)::bigint, max(publication) + 1
    )
    from ops.published
"""
BLOCKERS = """
    select distinct activity.pid, coalesce(nullif(application_name, ''), usename), xact_start
    from pg_locks as locks
    join pg_class on pg_class.oid = locks.relation
    join pg_stat_activity as activity on activity.pid = locks.pid
    join pg_namespace on pg_namespace.oid = relnamespace
    where nspname in ('marts', 'marts_next', 'marts_previous')
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
    publication: int
    """Grows with each swap and rollback, whatever the clock does."""
    withdrawn_run: str | None
    """The run whose marts were served before, if a rollback took them back."""
    inputs: str | None
    """A hash of all that these marts follow from, where whoever staged them gave one."""


@dataclass(frozen=True)
class Swapped:
    """What is served now; not swapped when this run's marts already were."""

    served_as_of: str | None
    swapped: bool


@dataclass(frozen=True)
class RolledBack:
    """Which marts are served again, and which wait in `marts_next` to be published again."""

    served_run: str
    served_as_of: str | None
    withdrawn_run: str | None


class _BlockedError(Exception):
    """A reader kept a table for longer than a swap may wait at a time."""


def served(settings: Settings) -> Served | None:
    """What readers see now; None before the first publish."""
    with ops.warehouse(settings) as connection, connection.cursor() as cursor:
        return _served(cursor)


def last_published(settings: Settings) -> Served | None:
    """What was published last, be it served still or taken back by a rollback."""
    with ops.warehouse(settings) as connection, connection.cursor() as cursor:
        return _served(cursor, LAST_PUBLISHED)


def published_before(settings: Settings) -> Served | None:
    """What was served before the marts that are served now."""
    with ops.warehouse(settings) as connection, connection.cursor() as cursor:
        return _served(cursor, PUBLISHED_BEFORE)


def waiting(settings: Settings) -> str:
    """The run that a publish would serve: its marts stand in `marts_next`, or are served already.

    Those that a rollback withdrew wait there, too.
    """
    query = "select coalesce(obj_description(to_regnamespace('marts_next'), 'pg_namespace'), %s)"
    with ops.warehouse(settings) as connection, connection.cursor() as cursor:
        now_served = _served(cursor)
        cursor.execute(query, (now_served and now_served.run_id,))
        (run_id,) = cursor.fetchone() or (None,)
    if run_id is None:
        raise RefusedError("no marts wait to be served", hint="run `lakehouse gate`")
    return str(run_id)


def swap(settings: Settings, *, run_id: str) -> Swapped:
    """Serve the staged marts of this run, if the gate passed them; keep the ones before."""
    return _patiently(settings, "swap", lambda cursor: _swap(cursor, run_id))


def rollback(settings: Settings) -> RolledBack:
    """Serve the marts before again; those withdrawn become the staged ones, as before the swap.

    So it is the swap turned round: the same run can be published again, without another gate, and
    a second rollback has nothing to go back to. Marts that were staged since are dropped.
    """
    return _patiently(settings, "rollback", _roll_back)


def _patiently(settings: Settings, what: str, do: Callable[[Cursor], Result]) -> Result:
    """Do it in one transaction, as soon as no reader holds a table."""
    again = "lakehouse publish --rollback" if what == "rollback" else "lakehouse publish"
    for attempt in range(1, TRIES + 1):
        try:
            with ops.warehouse(settings) as connection, connection.cursor() as cursor:
                return do(cursor)
        except _BlockedError:
            log.info("%s: a reader holds the marts, attempt %d of %d", what, attempt, TRIES)
            if attempt < TRIES:
                time.sleep(PAUSE_S)
        except psycopg2.Error as error:
            raise LakehouseError(
                f"the {what} of the marts was broken off: {first_line(error)}",
                hint=f"readers see whole marts, the old or the new; run `{again}` again",
            ) from error
    raise LakehouseError(
        f"the {what} was not done, and the marts stay as they were: {_blocker(settings)}",
        hint=f"wait until it has ended, or end it, then run `{again}`",
    )


def _swap(cursor: Cursor, run_id: str) -> Swapped:
    now_served = _served(cursor)
    cursor.execute(STAGED, (run_id,))
    staged_run, passed_at, as_of_date, marts, inputs = cursor.fetchone() or (None,) * 5
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
    readers.let_in(cursor, NEXT)
    _lock(cursor, MARTS, PREVIOUS)
    _drop(cursor, PREVIOUS)
    _move(cursor, MARTS, PREVIOUS)
    _move(cursor, NEXT, MARTS)
    cursor.execute(PUBLISH, (run_id, as_of_date, Json(marts), inputs, None))
    return Swapped(_day(as_of_date), swapped=True)


def _roll_back(cursor: Cursor) -> RolledBack:
    now_served = _served(cursor)
    cursor.execute(BEFORE, (now_served and now_served.publication,))
    before = cursor.fetchone()
    if before is None:
        raise RefusedError(
            f"there is no version to go back to: {_told(now_served)}, and marts_previous holds"
            " none that was served before",
            hint="each publish keeps the marts before it, until the next one; what is served stays",
        )
    run_id, as_of_date, marts, inputs = before
    withdrawn = now_served.run_id if now_served else None
    readers.let_in(cursor, PREVIOUS)
    _lock(cursor, MARTS, NEXT, PREVIOUS)
    _drop(cursor, NEXT)
    _move(cursor, MARTS, NEXT)
    _move(cursor, PREVIOUS, MARTS)
    cursor.execute(PUBLISH, (run_id, as_of_date, Json(marts), inputs, withdrawn))
    return RolledBack(run_id, _day(as_of_date), withdrawn)


def _lock(cursor: Cursor, *schemas: str) -> None:
    """Wait a moment until nobody reads a mart, and let nobody begin to until we commit."""
    cursor.execute(
        "select schemaname, tablename from pg_tables where schemaname = any(%s) order by 1, 2",
        (list(schemas),),
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


def _drop(cursor: Cursor, schema: str) -> None:
    readers.tell_of_views(cursor, schema, "dropped with them")
    cursor.execute(f"drop schema if exists {schema} cascade")


def _move(cursor: Cursor, schema: str, to: str) -> None:
    cursor.execute("select to_regnamespace(%s) is not null", (schema,))
    if cursor.fetchone() == (True,):
        if schema == MARTS:
            readers.tell_of_views(cursor, schema, "which they still show, and are dropped with")
        cursor.execute(f"alter schema {schema} rename to {to}")
        if to != MARTS:
            readers.keep_out(cursor, to)


def _served(cursor: Cursor, query: str = SERVED) -> Served | None:
    cursor.execute(query)
    row = cursor.fetchone()
    return Served(*row) if row else None


def _told(now_served: Served | None) -> str:
    if now_served is None:
        return "nothing is served"
    how = "by a rollback" if now_served.withdrawn_run else "by a publish"
    return f"run {now_served.run_id} is served, {how} of {now_served.published_at:%F %T %Z}"


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
