"""What kind of incident a failure is: each kind has one page in `docs/runbooks`."""

from __future__ import annotations

import errno
import hashlib
import re
from collections.abc import Iterator
from enum import StrEnum

import psycopg2
from psycopg2 import errors as postgres_errors

from lakehouse.errors import RefusedError, ServerAwayError
from lakehouse.lock import LockHeldError


class Page(StrEnum):
    """The closed list of runbooks; a test compares it with the folder."""

    BACKFILL_FAILED = "backfill-failed"
    BRONZE_NOT_LOADED = "bronze-not-loaded"
    CHANGES_NOT_LANDED = "changes-not-landed"
    DISK_FULL = "disk-full"
    FORECASTS_NOT_LANDED = "forecasts-not-landed"
    GATE_CLOSED = "gate-closed"
    LAKE_HELD = "lake-held"
    LANDED_REFUSED = "landed-refused"
    MAINTENANCE_FAILED = "maintenance-failed"
    MARTS_NOT_SERVED = "marts-not-served"
    MODEL_FAILED = "model-failed"
    SERVER_AWAY = "server-away"
    TASK_KILLED = "task-killed"
    TEST_FAILED = "test-failed"


OF_STEP = {
    "extract": Page.CHANGES_NOT_LANDED,
    "bronze": Page.BRONZE_NOT_LOADED,
    "dbt_run": Page.MODEL_FAILED,
    "dbt_test": Page.TEST_FAILED,
    "checkpoint": Page.GATE_CLOSED,
    "publish": Page.MARTS_NOT_SERVED,
    "forecasts": Page.FORECASTS_NOT_LANDED,
    "maintain": Page.MAINTENANCE_FAILED,
    "backfill": Page.BACKFILL_FAILED,
}
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def page(step: str, error: object) -> Page:
    """The page for what went wrong: by its cause where that is known, else by the step."""
    for each in _causes(error):
        if isinstance(each, postgres_errors.DiskFull) or (
            isinstance(each, OSError) and each.errno in NO_ROOM
        ):
            return Page.DISK_FULL
        if isinstance(each, LockHeldError):
            return Page.LAKE_HELD
        away = psycopg2.OperationalError | psycopg2.InterfaceError | ServerAwayError
        if isinstance(each, away):
            return Page.SERVER_AWAY
        if step == "bronze" and isinstance(each, RefusedError):
            return Page.LANDED_REFUSED
    # A process that was killed leaves no exception, but at most what the scheduler says of it.
    if not isinstance(error, BaseException) or step not in OF_STEP:
        return Page.TASK_KILLED
    return OF_STEP[step]


def passes_by_itself(error: BaseException) -> bool:
    """Whether the same again may go well: a server comes back, and whoever holds the lake ends."""
    return page("", error) in (Page.SERVER_AWAY, Page.LAKE_HELD)


def _causes(error: object) -> Iterator[BaseException]:
    seen = error if isinstance(error, BaseException) else None
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def safe_run_id(dag_id: str, run_id: str) -> str:
    """The name of a DAG run as a file, a table or a URL can carry it, and no other run's name."""
    name = f"{dag_id}.{run_id}"
    safe = re.sub(r"[^A-Za-z0-9_.-]", "-", name)
    if safe == name:
        return name
    return f"{safe}.{hashlib.sha256(name.encode()).hexdigest()[:8]}"
