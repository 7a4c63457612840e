"""A business day of the company: which transactions it has, and when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from operator import itemgetter
from random import Random
from typing import NamedTuple

from lakehouse.erp import calendar, demand, master_data, paperwork, supply, upkeep
from lakehouse.erp import plan as planning
from lakehouse.erp.master_data import Cell
from lakehouse.erp.plan import Plan
from lakehouse.erp.transaction import Transaction

WORKDAY_MS = 10 * 3600 * 1000
# When in the day each kind of deed is done, as parts of it.
OPENING = (0.01, 0.10)
RECEIVING = (0.10, 0.40)
ASKING = (0.40, 0.75)
BUYING = (0.75, 0.90)
CLOSING = (0.92, 0.99)
ANY_TIME = (0.05, 0.90)
LATE_ARRIVALS_DAYS = 100  # business days after a period in which its orders may still come
EVERY_SO_MANY_DAYS: dict[Callable[[Transaction, Cell], None], int] = {
    paperwork.revise_item: 5,
    paperwork.describe_item: 6,
    paperwork.turn_over_item: 3,
    paperwork.recode_item: 5,
    paperwork.turn_over_site: 5,
    paperwork.move_site: 6,
    paperwork.rename_site: 6,
    paperwork.reassign_site: 7,
    paperwork.recreate_site: 5,
    paperwork.touch_site: 2,
    paperwork.revise_supplier: 7,
    paperwork.revise_contract: 9,
    paperwork.hesitate: 4,
}
UPKEEP: dict[Callable[[Transaction], None], int] = {
    upkeep.count: 2,
    upkeep.give_back: 1,
    upkeep.correct: 3,
    upkeep.strike: 4,
    demand.give_up: 10,
}
ROLLBACK_EVERY = 4

Deed = Callable[[Transaction], None]
Add = Callable[[Deed, tuple[float, float]], None]


class Step(NamedTuple):
    """One transaction of a day."""

    number: int
    deed: Deed
    clock: datetime
    is_rolled_back: bool


class Plans:
    """The plans of all branches for the period of a day, and what is left of the one before."""

    def __init__(self, seed: int, scale: float) -> None:
        self.seed = seed
        self.scale = scale
        self.cells = len(master_data.sizes_of(scale))
        self.known: dict[tuple[int, int], Plan] = {}

    def on(self, day: date) -> list[list[Plan]]:
        """For each branch its plan on a day, and the one before while its orders still come."""
        period = calendar.period_of(day)
        since = calendar.number(day) - calendar.number(calendar.days_of(period)[0])
        periods = [period] if period == 0 or since > LATE_ARRIVALS_DAYS else [period, period - 1]
        for key in [key for key in self.known if key[1] not in periods]:
            del self.known[key]
        return [[self._plan(cell, period) for period in periods] for cell in range(self.cells)]

    def typed_again(self, day: date) -> set[int]:
        """The order lines that are there twice, and will come once."""
        return {number for its in self.on(day) for plan in its for number in plan.typed_again}

    def _plan(self, cell: int, period: int) -> Plan:
        if (cell, period) not in self.known:
            self.known[cell, period] = planning.make(self.seed, self.scale, cell, period)
        return self.known[cell, period]


def steps(plans: Plans, day: date) -> list[Step]:
    """The transactions of a day, by its date and the seed alone."""
    rng = Random(f"{plans.seed}:{day}")
    number = calendar.number(day)
    found: list[tuple[int, Deed, bool]] = []

    def add(deed: Deed, when: tuple[float, float], *, is_rolled_back: bool = False) -> None:
        found.append((int(rng.uniform(*when) * WORKDAY_MS), deed, is_rolled_back))

    by_cell = plans.on(day)
    cells = [current.cell for current, *_ in by_cell]
    if day.weekday() == 0:
        add(_bound(paperwork.reprice, cells[0]), (0, 0))
    for its in by_cell:
        _work(its, number, len(cells), add)
        _supply(its, number, add)
    for deed, every in EVERY_SO_MANY_DAYS.items():
        if _is_due(plans.seed, number, deed.__name__, every):
            add(_bound(deed, rng.choice(cells)), ANY_TIME)
    for upkeep_deed, every in UPKEEP.items():
        if _is_due(plans.seed, number, upkeep_deed.__name__, every):
            add(upkeep_deed, ANY_TIME)
    if _is_due(plans.seed, number, "rollback", ROLLBACK_EVERY):
        add(_bound(paperwork.abandon, rng.choice(cells)), ANY_TIME, is_rolled_back=True)
    return _in_order(day, found)


def _work(its: list[Plan], day: int, cells: int, add: Add) -> None:
    """Work is opened, parts for it are asked for, and what is done is closed."""
    current = its[0]
    if works := current.opened.get(day):
        add(_bound(demand.open_work, works), OPENING)
    for _, asks in sorted(current.asked.get(day, {}).items()):
        add(_bound(demand.ask, current, asks), ASKING)
    add(_bound(_close, its, cells), CLOSING)


def _close(tx: Transaction, its: list[Plan], cells: int) -> None:
    own = [number for number in tx.world.work if (number - 1) % cells == its[0].cell.number]
    works = ((number, plan.works.get(number)) for number in sorted(own) for plan in its)
    demand.close_work(tx, [(number, work) for number, work in works if work is not None])


def _supply(its: list[Plan], day: int, add: Add) -> None:
    """Suppliers deliver, buyers buy, and put right what they bought before."""
    for plan in its:
        for place, arrivals in sorted(plan.arriving.get(day, {}).items()):
            add(_bound(supply.receive, place, arrivals), RECEIVING)
        for requisition in plan.regularised.get(day, ()):
            add(_bound(supply.regularise, requisition), ANY_TIME)
        if slips := plan.slips.get(day):
            add(_bound(supply.take_out, slips), ANY_TIME)
        for requisition in plan.bought.get(day, ()):
            add(_bound(supply.buy, requisition), BUYING)


def _bound(deed: Callable[..., None], *values: object) -> Deed:
    return lambda tx: deed(tx, *values)


def _in_order(day: date, found: list[tuple[int, Deed, bool]]) -> list[Step]:
    """One after the other, no two at one moment."""
    ordered, moment = [], -1
    for number, (wanted, deed, is_rolled_back) in enumerate(sorted(found, key=itemgetter(0)), 1):
        moment = max(wanted, moment + 1)
        ordered.append(Step(number, deed, calendar.clock(day, moment), is_rolled_back))
    return ordered


def _is_due(seed: int, day: int, what: str, every: int) -> bool:
    return (day + Random(f"{seed}:{what}").randrange(every)) % every == 0
