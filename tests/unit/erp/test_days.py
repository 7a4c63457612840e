"""The calendar of the demo company: which transactions a day has, and when."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from lakehouse.erp import calendar, company, days
from lakehouse.erp.days import Plans
from lakehouse.errors import SettingsError
from lakehouse.settings import Settings


@pytest.fixture(scope="module")
def plans() -> Plans:
    return Plans(seed=1, scale=0.2)


def business_days(count: int) -> list[date]:
    every = (calendar.FIRST_DAY + timedelta(days=n) for n in range(count * 2))
    return [day for day in every if day.weekday() < 5][:count]


def test_a_day_is_committed_in_business_hours_at_growing_times(plans: Plans) -> None:
    for day in business_days(10):
        steps = days.steps(plans, day)
        assert [step.number for step in steps] == list(range(1, len(steps) + 1))
        clocks = [step.clock for step in steps]
        assert clocks == sorted(set(clocks))
        local = [clock.astimezone(ZoneInfo("America/Sao_Paulo")) for clock in clocks]
        assert {clock.date() for clock in local} == {day}
        assert {clock.hour for clock in local} <= set(range(8, 18))
        assert all(clock.microsecond % 1000 == 0 for clock in clocks)


def test_some_days_have_a_transaction_that_is_rolled_back(plans: Plans) -> None:
    rolled_back = [
        sum(step.is_rolled_back for step in days.steps(plans, day)) for day in business_days(8)
    ]
    assert sorted(rolled_back) == [0] * 6 + [1] * 2


def test_another_seed_or_day_is_another_day() -> None:
    clocks = {
        (seed, day): tuple(step.clock.time() for step in days.steps(Plans(seed, 0.1), day))
        for seed in (1, 2)
        for day in business_days(2)
    }
    assert len(set(clocks.values())) == 4
    again = days.steps(Plans(1, 0.1), calendar.FIRST_DAY)
    assert tuple(step.clock.time() for step in again) == clocks[1, calendar.FIRST_DAY]


def test_business_days_follow_each_other_over_weekends() -> None:
    numbers = [calendar.number(day) for day in business_days(30)]
    assert numbers == list(range(numbers[0], numbers[0] + 30))
    assert [calendar.business_day(number) for number in numbers] == business_days(30)


def test_periods_follow_each_other_without_a_gap() -> None:
    found = [day for period in range(3) for day in calendar.days_of(period)]
    assert found == business_days(len(found))
    assert [calendar.period_of(day) for day in found] == [
        period for period in range(3) for _ in calendar.days_of(period)
    ]
    assert calendar.days_of(0)[-1] == date(2025, 10, 7)


def test_holidays_move_with_easter() -> None:
    easters = {2024: (3, 31), 2025: (4, 20), 2026: (4, 5), 2038: (4, 25)}
    assert {year: calendar.easter(year) for year in easters} == {
        year: date(year, *day) for year, day in easters.items()
    }
    assert calendar.is_holiday(date(2025, 4, 18))
    carnival = [day for day in calendar.days_of(0) if calendar.is_carnival(day)]
    assert carnival == [date(2025, 3, 3) + timedelta(days=n) for n in range(5)]


def test_the_seasons_raise_what_they_raise_and_nothing_else() -> None:
    factors = Counter[str]()
    for day in (date(2025, 1, 15), date(2025, 3, 4), date(2025, 7, 15), date(2024, 12, 25)):
        for discipline in ("structural", "cooling", "electrical"):
            factors[f"{discipline} {day:%m}"] = round(100 * calendar.season(discipline, day))
    assert factors == {
        **{"structural 01": 140, "cooling 01": 125, "electrical 01": 100},
        **{"structural 03": 98, "cooling 03": 88, "electrical 03": 70},
        **{"structural 07": 100, "cooling 07": 100, "electrical 07": 100},
        **{"structural 12": 0, "cooling 12": 0, "electrical 12": 0},
    }


@pytest.mark.parametrize("scale", [0, -1, 1001, float("nan"), float("inf")])
def test_a_scale_that_cannot_be_is_wrong_usage(lake: Settings, scale: float) -> None:
    with pytest.raises(SettingsError, match="the scale is"):
        company.create(lake, scale=scale)


def test_a_seed_beyond_64_bits_is_wrong_usage(lake: Settings) -> None:
    with pytest.raises(SettingsError, match="the seed is"):
        company.create(lake, seed=2**63)


def test_days_that_cannot_be_lived_are_wrong_usage(lake: Settings) -> None:
    with pytest.raises(SettingsError, match="0 days"):
        company.advance(lake, days=0)
