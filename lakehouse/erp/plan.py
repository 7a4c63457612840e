"""The plan of a branch for a period: what breaks, what is asked for, bought, delivered, and when.

A pure function of the seed, so that a company can be killed anywhere and go on. What comes of the
plan is the stores' doing: what they have, they issue; what falls to its reorder point, they buy.
Demand is steered so that what is bought has the measured shape: between two purchases of an item at
a store, teams ask for as much as the second one is to be, the last time on the day it is raised.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from lakehouse.erp import calendar, master_data, purchasing, work
from lakehouse.erp.master_data import Cell
from lakehouse.erp.requisition import UNIT, Line, Requisition
from lakehouse.erp.work import Work

IDS_A_PERIOD = 100_000
MOST_PARTS = 2
Raised = tuple[int, Line]
Shelves = dict[tuple[str, str], list[Raised]]


class Limits(NamedTuple):
    """What a shelf is to hold, in thousandths; nothing for what is bought for one site only."""

    reorder_point: int
    max_stock: int


class Ask(NamedTuple):
    """A team asks a store for an item; `line` is what the store will have to buy for it."""

    material_request_id: int
    item_id: str
    store: str
    quantity: int
    limits: Limits  # of the shelf, should it be a new one
    work: Work
    line: Line | None


class Arrival(NamedTuple):
    """A delivery of an order line, or of what is left of it."""

    goods_receipt_id: int
    line: Line
    is_last: bool


@dataclass(slots=True)
class Agenda:
    """What a branch has before it on one day; what is asked for and what comes, by place."""

    opened: list[Work] = field(default_factory=list)
    asked: dict[str, list[Ask]] = field(default_factory=dict)
    bought: list[Requisition] = field(default_factory=list)
    regularised: list[Requisition] = field(default_factory=list)
    slips: list[int] = field(default_factory=list)
    arriving: dict[str, list[Arrival]] = field(default_factory=dict)


@dataclass
class Plan:
    """All that a branch has before it, by the number of the business day."""

    cell: Cell
    limits: dict[tuple[str, str], Limits] = field(default_factory=dict)
    on_order: list[tuple[str, Line]] = field(default_factory=list)  # since before the first day
    days: dict[int, Agenda] = field(default_factory=lambda: defaultdict(Agenda))
    works: dict[int, Work] = field(default_factory=dict)
    typed_again: set[int] = field(default_factory=set)  # order lines that will never come


def make(seed: int, scale: float, number: int, period: int) -> Plan:
    """The plan of one branch for one period."""
    rng = Random(f"{seed}:{number}:{period}:plan")
    plan = Plan(master_data.cell(seed, scale, number))
    days = calendar.days_of(period)
    span = range(calendar.number(days[0]), calendar.number(days[-1]) + 1)
    requisitions = purchasing.requisitions(plan.cell, period, rng)
    shelves = _by_shelf(requisitions)
    teams = work.Teams(plan.cell, period, rng)
    stride = len(master_data.sizes_of(scale))

    def identity(n: int) -> int:
        return (period * IDS_A_PERIOD + n) * stride + number + 1

    _limit(plan, shelves, span, rng)
    _ask(plan, shelves, span, teams, identity, rng)
    _open(plan, teams.finish(), identity)
    _buy(plan, requisitions, identity, rng)
    _arrive(plan, requisitions, identity)
    return plan


def _by_shelf(requisitions: list[Requisition]) -> Shelves:
    """The lines to be bought for each item at each place, with the day that calls for them."""
    found: Shelves = defaultdict(list)
    for requisition in requisitions:
        if requisition.site is not None:
            day = calendar.number(requisition.raised)
            for line in requisition.lines:
                found[line.item.item_id, requisition.site].append((day, line))
    return {key: sorted(lines, key=lambda entry: entry[0]) for key, lines in sorted(found.items())}


def _limit(plan: Plan, shelves: Shelves, span: range, rng: Random) -> None:
    """A store's shelf is filled up by the smallest purchase to come; a site keeps nothing."""
    stores = {store.tower_id for store in plan.cell.stores}
    for (item, place), raised in shelves.items():
        quantities = [line.quantity for _, line in raised]
        usual = sum(quantities) / len(quantities) / UNIT
        reorder_point = max(1, round(usual * rng.uniform(0.1, 0.9))) * UNIT
        full = reorder_point + min(quantities)
        plan.limits[item, place] = Limits(reorder_point, full) if place in stores else Limits(0, 0)
        plan.on_order += [(place, line) for day, line in raised if day < span.start]


def _ask(
    plan: Plan,
    shelves: Shelves,
    span: range,
    teams: work.Teams,
    identity: Callable[[int], int],
    rng: Random,
) -> None:
    """Let teams ask for parts, each for some work of theirs."""
    asks = [
        (day, place, item, quantity, line)
        for (item, place), raised in shelves.items()
        for day, quantity, line in _demand(raised, plan.limits[item, place], span, rng)
    ]
    asks.sort(key=lambda ask: ask[:3])
    families = {item.item_id: item.family for item in master_data.items()}
    for n, (day, place, item, quantity, line) in enumerate(asks):
        job = teams.at(place, day, families[item])
        ask = Ask(identity(n), item, place, quantity, plan.limits[item, place], job, line)
        plan.days[day].asked.setdefault(place, []).append(ask)


def _demand(
    raised: list[Raised], limits: Limits, span: range, rng: Random
) -> Iterator[tuple[int, int, Line | None]]:
    """When how much is asked for, so that what is left calls for each purchase on its day."""
    least = limits.max_stock - limits.reorder_point
    before = span.start - 1
    for day, line in raised:
        if day not in span:
            continue
        asked = 0
        for quantity in _parts(min(least, line.quantity), rng):
            if day - before > 1:
                asked += quantity
                yield rng.randrange(before + 1, day), quantity, None
        yield day, line.quantity - asked, line
        before = day
    if span.stop - before > 1:
        for quantity in _parts(least, rng):
            yield rng.randrange(before + 1, span.stop), quantity, None


def _parts(less_than: int, rng: Random) -> list[int]:
    """Up to a few quantities that together stay below one."""
    left = less_than // UNIT - 1
    found = []
    for _ in range(rng.randint(0, MOST_PARTS)):
        if left > 0:
            found.append(rng.randint(1, left) * UNIT)
            left -= found[-1] // UNIT
    return found


def _open(plan: Plan, works: list[Work], identity: Callable[[int], int]) -> None:
    for n, job in enumerate(works):
        job.work_order_id = identity(n)
        plan.works[job.work_order_id] = job
        plan.days[job.day].opened.append(job)
    for n, job in enumerate(job for job in works if job.has_outage):
        job.outage_id = identity(n)


def _buy(
    plan: Plan, requisitions: list[Requisition], identity: Callable[[int], int], rng: Random
) -> None:
    """Number requisitions and lines as they are bought, and say for which contract they are."""
    contract_of = {
        id(ask.line): ask.work.contract_id
        for agenda in plan.days.values()
        for asks in agenda.asked.values()
        for ask in asks
        if ask.line is not None
    }
    contracts = [contract.contract_id for contract in master_data.contracts()]
    lines = 0
    for n, requisition in enumerate(requisitions):
        day = calendar.number(requisition.ordered)
        plan.days[day].bought.append(requisition)
        if requisition.is_regularised and requisition.requested is not None:
            asked = calendar.number(requisition.requested)
            plan.days[asked].regularised.append(requisition)
        if requisition.requested is not None:
            requisition.requisition_id = f"{identity(n):07d}"
        requisition.contract_id = rng.choice(contracts)
        if requisition.site is not None:
            requisition.contract_id = contract_of.get(id(requisition.lines[0]))
        for line in requisition.lines:
            count = 1 + line.copies + line.slips
            line.order_id, *more = (identity(lines + k) for k in range(count))
            line.copy_ids, line.slip_ids = tuple(more[: line.copies]), tuple(more[line.copies :])
            plan.typed_again.update(more)
            plan.days[day + 1].slips.extend(line.slip_ids)
            lines += count


def _arrive(plan: Plan, requisitions: list[Requisition], identity: Callable[[int], int]) -> None:
    arrivals = [
        (day, requisition.site or "", line, day == line.arrivals[-1])
        for requisition in requisitions
        for line in requisition.lines
        for day in line.arrivals
    ]
    arrivals.sort(key=lambda arrival: (arrival[0], arrival[1], arrival[2].order_id))
    for n, (day, place, line, is_last) in enumerate(arrivals):
        arrival = Arrival(identity(n), line, is_last)
        plan.days[day].arriving.setdefault(place, []).append(arrival)
