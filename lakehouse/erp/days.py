"""A business day of the company: which transactions it has, and when."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Callable, Container
from datetime import date, datetime
from operator import itemgetter
from random import Random
from typing import NamedTuple

from lakehouse.erp import calendar, demand, master_data, paperwork, supply, upkeep
from lakehouse.erp import plan as planning
from lakehouse.erp.master_data import Cell
from lakehouse.erp.plan import Agenda, Plan
from lakehouse.erp.transaction import Transaction
from lakehouse.erp.work import Work

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
    """The plans of all branches for the period of a day, and what is left of the one before.

    They are kept as bytes, day by day: as objects, those of a hundred branches are half a gigabyte.
    """

    def __init__(self, seed: int, scale: float) -> None:
        self.seed = seed
        self.scale = scale
        numbers = range(len(master_data.sizes_of(scale)))
        self.cells = [master_data.cell(seed, scale, number) for number in numbers]
        self._agendas: dict[tuple[int, int], dict[int, bytes]] = {}

    def on(self, day: date) -> list[list[Agenda]]:
        """For each branch what it has before it on a day, by its plan and by the one before."""
        number = calendar.number(day)
        known = ((cell.number, period) for cell in self.cells for period in self._periods(day))
        found: list[list[Agenda]] = [[] for _ in self.cells]
        for key in known:
            if key not in self._agendas:
                self._keep(planning.make(self.seed, self.scale, *key), key)
            agenda = self._agendas[key].get(number)
            found[key[0]].append(pickle.loads(zlib.decompress(agenda)) if agenda else Agenda())
        return found

    def recall(self, day: date, open_work: Container[int]) -> tuple[dict[int, Work], set[int]]:
        """What was planned for work that is open, and the order lines that were typed again."""
        works: dict[int, Work] = {}
        typed_again: set[int] = set()
        for cell in self.cells:
            for period in self._periods(day):
                plan = planning.make(self.seed, self.scale, cell.number, period)
                self._keep(plan, (cell.number, period))
                works |= {n: work for n, work in plan.works.items() if n in open_work}
                typed_again |= plan.typed_again
        return works, typed_again

    def _keep(self, plan: Plan, key: tuple[int, int]) -> None:
        self._agendas[key] = {
            number: zlib.compress(pickle.dumps(agenda), 1) for number, agenda in plan.days.items()
        }

    def _periods(self, day: date) -> list[int]:
        period = calendar.period_of(day)
        since = calendar.number(day) - calendar.number(calendar.days_of(period)[0])
        found = [period] if period == 0 or since > LATE_ARRIVALS_DAYS else [period, period - 1]
        for key in [key for key in self._agendas if key[1] not in found]:
            del self._agendas[key]
        return found


def steps(plans: Plans, day: date) -> list[Step]:
    """The transactions of a day, by its date and the seed alone."""
    rng = Random(f"{plans.seed}:{day}")
    number = calendar.number(day)
    found: list[tuple[int, Deed, bool]] = []

    def add(deed: Deed, when: tuple[float, float], *, is_rolled_back: bool = False) -> None:
        found.append((int(rng.uniform(*when) * WORKDAY_MS), deed, is_rolled_back))

    cells = plans.cells
    if day.weekday() == 0:
        add(_bound(paperwork.reprice, cells[0]), (0, 0))
    for cell, agendas in zip(cells, plans.on(day), strict=True):
        for agenda in agendas:
            _work(agenda, add)
            _supply(agenda, add)
        add(_bound(demand.close_work, cell.number, len(cells)), CLOSING)
    for deed, every in EVERY_SO_MANY_DAYS.items():
        if _is_due(plans.seed, number, deed.__name__, every):
            add(_bound(deed, rng.choice(cells)), ANY_TIME)
    for upkeep_deed, every in UPKEEP.items():
        if _is_due(plans.seed, number, upkeep_deed.__name__, every):
            add(upkeep_deed, ANY_TIME)
    if _is_due(plans.seed, number, "rollback", ROLLBACK_EVERY):
        add(_bound(paperwork.abandon, rng.choice(cells)), ANY_TIME, is_rolled_back=True)
    return _in_order(day, found)


def _work(agenda: Agenda, add: Add) -> None:
    """Work is opened, and parts for it are asked for."""
    if agenda.opened:
        add(_bound(demand.open_work, agenda.opened), OPENING)
    for _, asks in sorted(agenda.asked.items()):
        add(_bound(demand.ask, asks), ASKING)


def _supply(agenda: Agenda, add: Add) -> None:
    """Suppliers deliver, buyers buy, and put right what they bought before."""
    for place, arrivals in sorted(agenda.arriving.items()):
        add(_bound(supply.receive, place, arrivals), RECEIVING)
    for requisition in agenda.regularised:
        add(_bound(supply.regularise, requisition), ANY_TIME)
    if agenda.slips:
        add(_bound(supply.take_out, agenda.slips), ANY_TIME)
    for requisition in agenda.bought:
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
