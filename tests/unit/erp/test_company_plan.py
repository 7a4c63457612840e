"""The calendar of the demo company: which transactions a day has, and when."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from lakehouse.erp import company, stock
from lakehouse.erp.company import FIRST_DAY, State
from lakehouse.errors import SettingsError
from lakehouse.settings import Settings

START = State(seed=1, scale=1, day=FIRST_DAY, step=0, until=FIRST_DAY, last_movement_id=0)


def business_days(count: int) -> list[date]:
    days = (FIRST_DAY + timedelta(days=n) for n in range(count * 2))
    return [day for day in days if day.weekday() < 5][:count]


def test_every_kind_of_deed_happens_within_two_weeks() -> None:
    steps = [step for day in business_days(10) for step in company.plan(replace(START, day=day))]
    assert {*company.EVERY_SO_MANY_DAYS} <= {step.deed for step in steps}
    assert any(step.is_rolled_back for step in steps)


def test_a_day_is_committed_in_business_hours_at_growing_times() -> None:
    for day in business_days(5):
        clocks = [step.clock for step in company.plan(replace(START, day=day))]
        assert clocks == sorted(set(clocks))
        local = [clock.astimezone(ZoneInfo("America/Sao_Paulo")) for clock in clocks]
        assert {clock.date() for clock in local} == {day}
        assert {clock.hour for clock in local} <= set(range(8, 18))
        assert all(clock.microsecond % 1000 == 0 for clock in clocks)


def test_the_week_has_the_shape_of_the_real_one() -> None:
    deeds: Counter[int] = Counter()
    for day in business_days(250):
        plan = company.plan(replace(START, scale=10, day=day))
        deeds[day.weekday()] += sum(step.deed is stock.issue for step in plan)
    assert [weekday for weekday, _ in deeds.most_common()] == [3, 2, 1, 0, 4]


@pytest.mark.parametrize("change", [{"seed": 2}, {"day": date(2024, 10, 8)}])
def test_another_seed_or_day_is_another_plan(change: dict[str, int | date]) -> None:
    state = replace(START, **change)  # type: ignore[arg-type]
    assert company.plan(state) == company.plan(state)
    assert company.plan(state) != company.plan(START)


def test_business_days_follow_each_other_over_weekends() -> None:
    numbers = [company._number(day) for day in business_days(30)]
    assert numbers == list(range(numbers[0], numbers[0] + 30))
    assert [company._business_day(number) for number in numbers] == business_days(30)


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
