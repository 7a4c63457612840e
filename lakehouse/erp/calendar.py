"""The company's days: which there are, what season it is, and how much is bought on each.

Every day from Monday to Friday is a business day, so that counting them needs no memory; on a
holiday nothing is planned.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

OPENING_DAY = date(2024, 9, 30)
FIRST_DAY = date(2024, 10, 1)
HISTORY_DAYS = 266
"""Business days that the real purchasing was measured on: October 2024 to 7 October 2025."""
PERIOD_DAYS = 260
"""Business days of each period that is planned after the first: about a year."""

# Order lines: those with a date, and how they lie.
LINES_A_WEEKDAY = (765, 842, 907, 1021, 653)
LINES_A_MONTH = {
    **{(2024, 10): 38, (2024, 11): 46, (2024, 12): 69},
    **{(2025, 1): 324, (2025, 2): 275, (2025, 3): 721, (2025, 4): 320, (2025, 5): 442},
    **{(2025, 6): 469, (2025, 7): 478, (2025, 8): 461, (2025, 9): 460},
    (2025, 10): 85,  # in as much of it as was measured
}
LINES_A_LATER_MONTH = 460
DAYS_OF_A_MONTH = 21  # what a month that is planned in part is a part of
LATER_LINES = 1.3  # lines of a later period, as a multiple of the first

OPENS_AT = time(8, tzinfo=ZoneInfo("America/Sao_Paulo"))
HOLIDAYS = {(1, 1), (4, 21), (5, 1), (9, 7), (10, 12), (11, 2), (11, 15), (11, 20), (12, 25)}
RAIN = (11, 12, 1, 2, 3, 4)
HEAT = (12, 1, 2, 3)


def number(business_day: date) -> int:
    """Business days since the year 1, weekends left out."""
    weeks, weekday = divmod(business_day.toordinal() - 1, 7)
    return weeks * 5 + weekday


def business_day(number: int) -> date:
    """The business day of that number."""
    weeks, weekday = divmod(number, 5)
    return date.fromordinal(weeks * 7 + weekday + 1)


def nearest_business_day(day: date) -> date:
    """The day itself, or the Friday or Monday beside it."""
    return day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))


def next_business_day(day: date) -> date:
    """The day itself, or the Monday after it."""
    return day + timedelta(days={5: 2, 6: 1}.get(day.weekday(), 0))


def clock(day: date, milliseconds: int) -> datetime:
    """A moment of a day, counted from when the company opens."""
    opening = datetime.combine(day, OPENS_AT).astimezone(UTC)
    return opening + timedelta(milliseconds=milliseconds)


FIRST_NUMBER = number(FIRST_DAY)


def period_of(day: date) -> int:
    """The period that a business day is planned in."""
    later = number(day) - FIRST_NUMBER - HISTORY_DAYS
    return 0 if later < 0 else 1 + later // PERIOD_DAYS


def days_of(period: int) -> list[date]:
    """The business days of a period."""
    if period == 0:
        return [business_day(FIRST_NUMBER + n) for n in range(HISTORY_DAYS)]
    start = FIRST_NUMBER + HISTORY_DAYS + (period - 1) * PERIOD_DAYS
    return [business_day(start + n) for n in range(PERIOD_DAYS)]


def purchase_weights(days: list[date]) -> list[float]:
    """How many order lines fall on each day, before chance."""
    shape = [0.0 if is_holiday(day) else float(LINES_A_WEEKDAY[day.weekday()]) for day in days]
    of_month: dict[tuple[int, int], float] = {}
    for day, weight in zip(days, shape, strict=True):
        of_month[day.year, day.month] = of_month.get((day.year, day.month), 0.0) + weight
    usual_month = DAYS_OF_A_MONTH * sum(LINES_A_WEEKDAY) / len(LINES_A_WEEKDAY)
    return [
        weight
        * (
            LINES_A_MONTH[day.year, day.month] / of_month[day.year, day.month]
            if days[0] == FIRST_DAY
            else LINES_A_LATER_MONTH / usual_month
        )
        for day, weight in zip(days, shape, strict=True)
    ]


def season(discipline: str, day: date) -> float:
    """How much there is to do: more at the structure in the rain, at the cooling in the heat."""
    if is_holiday(day):
        return 0.0
    factor = 0.7 if is_carnival(day) else 1.0
    if discipline == "structural" and day.month in RAIN:
        factor *= 1.4
    if discipline == "cooling" and day.month in HEAT:
        factor *= 1.25
    return factor


def is_holiday(day: date) -> bool:
    """National holidays, of which Good Friday moves."""
    return (day.month, day.day) in HOLIDAYS or day == easter(day.year) - timedelta(days=2)


def is_carnival(day: date) -> bool:
    """The week of Carnaval, Monday to Friday."""
    return 44 <= (easter(day.year) - day).days <= 48


@cache
def easter(year: int) -> date:
    """Easter Sunday, by the Gregorian computus."""
    golden, century = year % 19, year // 100
    epact = (century - century // 4 - (8 * century + 13) // 25 + 19 * golden + 15) % 30
    moon = epact - epact // 28 * (1 - 29 // (epact + 1) * ((21 - golden) // 11))
    weekday = (year + year // 4 + moon + 2 - century + century // 4) % 7
    month = 3 + (moon - weekday + 40) // 44
    return date(year, month, moon - weekday + 28 - 31 * (month // 4))
