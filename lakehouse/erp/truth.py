"""What was true at the end of a past day, as the ERP itself wrote it down when it happened.

The record is kept by triggers of the ERP, not by the change log, so that what was read from that
log can be held against it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Any

from psycopg2.extensions import cursor as Cursor

from lakehouse.erp import PUBLICATION, company, session
from lakehouse.errors import RefusedError, SettingsError
from lakehouse.settings import Settings

# The last word on each row, unless its table was emptied since.
_THEN = """
    with emptied as (
        select table_name, max(change_id) as change_id from demo.history
        where key is null and change_id <= %(last)s group by table_name
    ), last_word as (
        select distinct on (h.table_name, h.key) h.table_name, h.row_then from demo.history as h
        left join emptied as e using (table_name)
        where h.key is not null and h.change_id <= %(last)s
            and h.change_id > coalesce(e.change_id, 0) and h.table_name = any(%(tables)s)
        order by h.table_name, h.key, h.change_id desc
    ), true_then as (
        select table_name, row_then from last_word where row_then is not null
    )
"""
CHECKSUM = "coalesce(sum(('x' || left(md5({row}::text), 16))::bit(64)::bigint), 0)::text"
"""Of a table: the sum of its rows' hashes, so that their order does not matter."""


@dataclass(frozen=True)
class Table:
    """A table at the end of a day."""

    rows: int
    checksum: str


@dataclass(frozen=True)
class Truth:
    """The ERP at the end of a day: all of it was committed before `lsn`, and nothing since."""

    day: str
    lsn: str
    tables: dict[str, Table]


def on(settings: Settings, day: date | None = None) -> Truth:
    """What was true at the end of a day, or of the last one lived."""
    with session.looking(settings) as cursor:
        lived, lsn, last = _end_of(cursor, day)
        tables = _published(cursor)
        query = (
            f"{_THEN} select table_name, count(*), {CHECKSUM.format(row='row_then')} "
            "from true_then group by table_name"
        )
        cursor.execute(query, {"last": last, "tables": tables})
        found = {name: Table(rows, checksum) for name, rows, checksum in cursor}
    return Truth(lived.isoformat(), lsn, {name: found.get(name, Table(0, "0")) for name in tables})


def rows(settings: Settings, table: str, day: date | None = None) -> list[dict[str, Any]]:
    """The rows of a table at the end of a day, or of the last one lived; in no order."""
    with session.looking(settings) as cursor:
        *_, last = _end_of(cursor, day)
        tables = _published(cursor)
        if table not in tables:
            near = get_close_matches(table, tables, 1)
            raise SettingsError(
                f"the ERP publishes no table `{table}`",
                hint=f"did you mean `{near[0]}`?" if near else f"there are {', '.join(tables)}",
            )
        query = f"{_THEN} select row_then from true_then"
        cursor.execute(query, {"last": last, "tables": [table]})
        return [row for (row,) in cursor]


def _end_of(cursor: Cursor, day: date | None) -> tuple[date, str, int]:
    """The last business day up to a day, where the change log stood at its end, and the history."""
    state = company.read(cursor)
    if day is not None and day >= state.day:
        raise RefusedError(
            f"{day} has not been lived",
            hint="run `lakehouse demo advance`, or ask for an earlier day",
        )
    cursor.execute(
        "select day, lsn::text, last_change_id from demo.days where day <= coalesce(%s, day) "
        "order by day desc limit 1",
        (day,),
    )
    found: tuple[date, str, int] | None = cursor.fetchone()
    if found is None:
        raise RefusedError(
            f"{day} was before the ERP went live", hint="ask for a day since 2024-09-30"
        )
    return found


def _published(cursor: Cursor) -> Sequence[str]:
    cursor.execute(
        "select tablename from pg_publication_tables where pubname = %s order by tablename",
        (PUBLICATION,),
    )
    return [name for (name,) in cursor]
