"""The calendar knows Brazil's holidays, by a library, and changes only when its years do."""

from __future__ import annotations

from datetime import date

from lakehouse import duck
from lakehouse.settings import Settings
from lakehouse.transform import holidays


def test_holidays_are_national_of_a_state_or_optional() -> None:
    found = {(day, kind, state) for day, _, kind, state in holidays.of_years(2023, 2024)}
    assert (date(2024, 3, 29), "national", None) in found  # Good Friday moves
    assert (date(2024, 2, 13), "optional", None) in found  # Carnaval
    assert (date(2024, 7, 2), "state", "BA") in found
    black_awareness = {(kind, state) for day, kind, state in found if day == date(2024, 11, 20)}
    assert black_awareness == {("national", None)}  # and in single states before
    assert (date(2023, 11, 20), "national", None) not in found
    assert (date(2023, 11, 20), "state", "RJ") in found
    assert {state for _, _, state in found if state and len(state) != 2} == set()


def test_the_table_follows_the_business_date(lake: Settings) -> None:
    holidays.load(lake, None)
    assert _years(lake) == (0, None, None)
    holidays.load(lake, date(2025, 10, 7))
    first = _years(lake)
    assert first[1:] == (2000, 2026)
    holidays.load(lake, date(2025, 12, 31))
    assert _years(lake) == first
    with duck.warehouse(lake) as connection:
        connection.execute("update ops.holidays set holiday_name = 'mended by hand'")
    holidays.load(lake, date(2026, 1, 2))
    assert _years(lake)[1:] == (2000, 2027)
    with duck.warehouse(lake) as connection:
        names = connection.execute("select distinct holiday_name from ops.holidays").fetchall()
    assert ("mended by hand",) not in names
    assert ("Natal",) in names


def _years(lake: Settings) -> tuple[int, int | None, int | None]:
    with duck.warehouse(lake) as connection:
        row = connection.execute(
            "select count(*), min(year(holiday_date)), max(year(holiday_date)) from ops.holidays"
        ).fetchone()
    assert row is not None
    return row[0], row[1], row[2]
