"""Brazil's holidays as `ops.holidays`, computed by python-holidays: no file to keep, no network.

They are a function of the business date alone, so that a rebuild finds the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import duckdb
import pyarrow as pa

from lakehouse import engine
from lakehouse.settings import Settings

FIRST_YEAR = 2000
"""dbt's variable `first_calendar_year` says the same: before it, a date is taken for a slip."""

Holiday = tuple[date, str, str, str | None]
"""The day, its name, its kind (national, state, optional), the state it holds in if only one."""

COLUMNS = ("holiday_date", "holiday_name", "kind", "state")
SCHEMA = """
create schema if not exists ops;
create table if not exists ops.holidays (
    holiday_date date not null,
    holiday_name text not null,
    kind text not null,
    state text
);
"""


def load(settings: Settings, as_of_date: date | None) -> None:
    """Bring `ops.holidays` to what the calendar up to the next year needs; usually it is there."""
    wanted = [] if as_of_date is None else list(of_years(FIRST_YEAR, as_of_date.year + 1))
    with engine.database(settings) as connection:
        connection.execute(SCHEMA)
        present = connection.execute(f"select {', '.join(COLUMNS)} from ops.holidays").fetchall()
        if set(present) != set(wanted):
            _replace(connection, wanted)


def of_years(first: int, last: int) -> Iterator[Holiday]:
    """Every holiday of these years: in the whole country, then those of single states."""
    # Imported late: only a build needs them.
    from holidays import country_holidays
    from holidays.countries.brazil import BR

    years = range(first, last + 1)
    whole = {}
    for kind, category in (("national", "public"), ("optional", "optional")):
        whole[kind] = country_holidays("BR", years=years, categories=category, language="pt_BR")
        for day in sorted(whole[kind]):
            yield day, whole[kind][day], kind, None
    # The library also knows a municipality by its name; a state has two letters.
    for state in sorted(code for code in BR.subdivisions if len(code) == 2):
        for kind, category in (("state", "public"), ("optional", "optional")):
            nowhere_else = whole["national" if kind == "state" else "optional"]
            there = country_holidays(
                "BR", subdiv=state, years=years, categories=category, language="pt_BR"
            )
            for day in sorted(there):
                if there[day] != nowhere_else.get(day):
                    yield day, there[day], kind, state


def _replace(connection: duckdb.DuckDBPyConnection, rows: list[Holiday]) -> None:
    days, names, kinds, states = zip(*rows, strict=True) if rows else ((), (), (), ())
    wanted = pa.table(
        {
            "holiday_date": pa.array(days, pa.date32()),
            "holiday_name": pa.array(names, pa.string()),
            "kind": pa.array(kinds, pa.string()),
            "state": pa.array(states, pa.string()),
        }
    )
    connection.register("wanted_holidays", wanted)
    connection.begin()
    connection.execute("delete from ops.holidays")
    connection.execute("insert into ops.holidays select * from wanted_holidays")
    connection.commit()
