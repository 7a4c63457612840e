"""Freshness by the business clock: never by the wall clock, which knows nothing of late files."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from psycopg2.extensions import cursor as Cursor

from lakehouse import bronze
from lakehouse.erp import calendar
from lakehouse.settings import Settings
from lakehouse.transform.ranges import LOCAL_TIMEZONE

BEHIND = 3
"""Marts may speak of a day so many business days before the newest commit that was delivered: a
run that is repaired over a weekend, while changes go on arriving."""


def parameters(settings: Settings, cursor: Cursor, as_of_date: date | None) -> dict[str, Any]:
    """The values that suites ask for: the business date, and the oldest that may be served."""
    delivered = bronze.newest_commit(settings)
    day = delivered.astimezone(ZoneInfo(LOCAL_TIMEZONE)).date() if delivered else None
    oldest = [_served(cursor), _business_days_before(day) if day else None]
    fresh_from = max(filter(None, oldest), default=None)
    return {
        "as_of_date": as_of_date.isoformat() if as_of_date else None,
        "fresh_from": fresh_from.isoformat() if fresh_from else None,
    }


def _served(cursor: Cursor) -> date | None:
    """The business date of what is served: it never goes back."""
    cursor.execute("select as_of_date from ops.published order by publication desc limit 1")
    ((day,),) = cursor.fetchall() or ((None,),)
    return day


def _business_days_before(day: date) -> date:
    return calendar.business_day(calendar.number(calendar.nearest_business_day(day)) - BEHIND)
