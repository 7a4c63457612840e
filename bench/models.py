"""The models' own numbers: dbt beside its SQL run by hand, and what an increment costs."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from bench import measuring
from bench.measuring import Measured, Result, below, ours
from lakehouse.erp import company
from lakehouse.settings import Settings

SCALE = "30"
DAYS = company.HISTORY_DAYS // 2
ONE_PERCENT = max(1, round(DAYS * 2 / 100))
"""Of the days of the whole history: a company of one size changes as much each day."""
MOST_MB = 2_000.0


def results() -> Iterator[Result]:
    """Every row of the table that is about the models."""
    yield from _beside_sql_by_hand()
    yield from _increments(SCALE)


def _beside_sql_by_hand() -> Iterator[Result]:
    """The real size: dbt's whole build and tests, and the SQL that it made, run by DuckDB alone."""
    with measuring.lake() as lake:
        ours(lake, "begin", "1", str(company.HISTORY_DAYS))
        ours(lake, "keep_sql")
        builds, by_hand = measuring.alternately(
            lambda: ours(lake, "build_anew"), lambda: ours(lake, "build_by_hand")
        )
    ratio = median(a.seconds / b.seconds for a, b in zip(builds, by_hand, strict=True))
    yield _at_most(
        f"dbt full build and tests, {builds[0].rows} nodes",
        "its SQL by hand, 3.6 s, 60 ms a model and 25 ms a test",
        _seconds(builds),
        _seconds(by_hand),
        ratio,
        1.2,
    )


def _increments(scale: str) -> Iterator[Result]:
    """A company of this size: a day early and late in its history, and one day in a hundred."""
    with measuring.lake() as lake:
        ours(lake, "begin", scale, str(DAYS))
        ours(lake, "build_anew")
        [early] = measuring.alternately(lambda: _after(lake, 1))
        _after(lake, DAYS)
        late, idle, hundredth = measuring.alternately(
            lambda: _after(lake, 1),
            lambda: ours(lake, "build"),
            lambda: _after(lake, ONE_PERCENT),
        )
        whole = ours(lake, "build_anew")
    yield _at_most(
        f"history doubled at scale {scale}: the models' increment of a day",
        "the same at half the history",
        _seconds(late),
        _seconds(early),
        _middle(late) / _middle(early),
        1.1,
    )
    yield _at_most(
        f"1 % of the days changed at scale {scale}, less what a build of nothing new takes",
        "a full rebuild",
        f"{_seconds(hundredth)} less {_seconds(idle)}",
        _seconds([whole]),
        (_middle(hundredth) - _middle(idle)) / whole.seconds,
        0.08,
    )
    yield below(f"memory of the full rebuild at scale {scale}", whole.peak_mb, "MB", MOST_MB)


def _after(lake: Settings, days: int) -> Measured:
    """The build of what so many days brought."""
    ours(lake, "live_on", str(days))
    return ours(lake, "build")


def _middle(measured: list[Measured]) -> float:
    return median(one.seconds for one in measured)


def _seconds(measured: list[Measured]) -> str:
    return f"{_middle(measured):.1f} s"


def _at_most(what: str, against: str, our: str, their: str, ratio: float, most: float) -> Result:
    return Result(what, against, our, their, ratio, f"≤ {most:g}", ratio <= most)
