"""What a branch buys in a period: requisitions of the measured number, size, family and lead time.

Where a share is to come out as measured, it is not drawn but dealt: the quantiles of the share are
given to the requisitions in a random order.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date, timedelta
from heapq import heapify, heapreplace
from random import Random
from typing import TypeVar

from lakehouse.erp import calendar, master_data, ordering
from lakehouse.erp.master_data import Cell, Family, Item
from lakehouse.erp.requisition import UNIT, Line, Requisition

T = TypeVar("T")

REQUISITIONS = 1395
LONGEST_LEAD = 154
LARGEST_REQUISITION = 62
SITES_BOUGHT_FOR = 180
STORE_SHARE = 0.6
DAILY_SPREAD = 0.35
FITTING_ROUNDS = 5
# How many lines a requisition has, by its rank.
SIZES = ((0.56, 1), (0.71, 2), (0.80, 3), (0.85, 4), (0.90, 5), (0.95, 7), (0.98, 11), (0.995, 22))


def requisitions(cell: Cell, period: int, rng: Random) -> list[Requisition]:
    """All that the branch asks for in a period, in the order in which it is bought."""
    factor = cell.size * (1 if period == 0 else calendar.LATER_LINES)
    found: list[Requisition] = []
    for family, wanted, sizes in _sizes(factor, rng):
        found += _filled(family, wanted, sizes, rng)
    rng.shuffle(found)
    _date(found, period, rng)
    _place(found, cell, rng)
    ordering.choose_suppliers(found, rng)
    ordering.complete(found, factor, rng)
    found.sort(key=lambda requisition: requisition.ordered)
    if period == 0 and cell.number == 0:
        ordering.mistake_a_year(found)
    return found


def dealt(values: Sequence[T], weights: Sequence[float], rng: Random) -> list[tuple[T, float]]:
    """Each value with the middle of its own share of 0 to 1, in a random order."""
    order = list(range(len(values)))
    rng.shuffle(order)
    total, before, found = sum(weights), 0.0, []
    for index in order:
        found.append((values[index], (before + weights[index] / 2) / total))
        before += weights[index]
    return found


def _sizes(factor: float, rng: Random) -> list[tuple[Family, list[Item], list[int]]]:
    """For each family the items to buy, one by one, and the sizes of its requisitions."""
    wanted: dict[str, list[Item]] = {name: [] for name in master_data.families()}
    for item in master_data.items():
        exact = item.lines * factor
        wanted[item.family] += [item] * (int(exact) + (rng.random() < exact % 1))
    left = {name: len(items) for name, items in wanted.items()}
    different = {name: len(set(items)) for name, items in wanted.items()}
    sizes: dict[str, list[int]] = {name: [] for name in wanted}
    count = max(len(wanted), round(REQUISITIONS * factor))
    largest = [LARGEST_REQUISITION] * round(factor)
    for size in [*largest, *sorted((_size((n + 0.5) / count) for n in range(count)), reverse=True)]:
        fits = [name for name in wanted if left[name] >= size and different[name] > 1.5 * size]
        if size == 1:
            fits = [name for name in wanted if left[name]]
        if fits:
            name = rng.choices(fits, [left[name] for name in fits])[0]
            sizes[name].append(size)
            left[name] -= size
    for name, rest in left.items():
        sizes[name] += [1] * rest
    families = master_data.families()
    return [(families[name], wanted[name], sizes[name]) for name in wanted if wanted[name]]


def _size(share: float) -> int:
    return next((size for limit, size in SIZES if share < limit), 42)


def _filled(family: Family, wanted: list[Item], sizes: list[int], rng: Random) -> list[Requisition]:
    """Requisitions of these sizes, each with different items."""
    rng.shuffle(wanted)
    found = []
    for size in sorted(sizes, reverse=True):
        taken: dict[str, Item] = {}
        back = []
        while wanted and len(taken) < size:
            item = wanted.pop()
            if item.item_id in taken:
                back.append(item)
            taken.setdefault(item.item_id, item)
        for item in back:  # so that it comes up again, but not at once
            wanted.insert(rng.randrange(len(wanted) + 1), item)
        lines = [_line(item, rng) for item in taken.values()]
        if lines:
            found.append(Requisition(family, lines))
    weights = [requisition.size for requisition in found]
    for requisition, share in dealt(found, weights, rng):
        requisition.lead = lead_days(family, share)
    return found


def _line(item: Item, rng: Random) -> Line:
    usual = item.quantity * rng.lognormvariate(0, item.spread)
    quantity = max(1, round(usual)) * UNIT
    if item.unit in master_data.DIVISIBLE:
        quantity = max(UNIT, round(usual * 4) * UNIT // 4)
    return Line(item, "", quantity, None, None, ())


def lead_days(family: Family, share: float) -> int:
    """The days from request to purchase that this share of the family's lines stays below."""
    median, tail = family.lead_median, family.lead_p90 - family.lead_median
    points = (
        (0.0, -18.0 if family.regularised_share > 0.1 else -6.0),
        (family.regularised_share, -0.6),
        (family.regularised_share + 0.001, 0.0),
        (0.5, median - 0.3),
        (0.75, median + 0.27 * tail),
        (0.9, median + 0.9 * tail),
        (0.95, median + 1.45 * tail),
        (0.99, median + 2.2 * tail),
        (1.0, min(LONGEST_LEAD, median + 3.6 * tail)),
    )
    after = max(1, bisect_left([place for place, _ in points], share))
    (x0, y0), (x1, y1) = points[after - 1], points[min(after, len(points) - 1)]
    return round(y0 + (y1 - y0) * (share - x0) / (x1 - x0))


def _date(found: list[Requisition], period: int, rng: Random) -> None:
    """Give each requisition, the largest first, to the day that lacks most of its share."""
    days = calendar.days_of(period)
    weights = _busy(days, rng)
    lines = sum(requisition.size for requisition in found)
    lacking = [(-weight * lines / sum(weights), n) for n, weight in enumerate(weights)]
    heapify(lacking)
    for requisition in sorted(found, key=lambda requisition: -requisition.size):
        rest, n = lacking[0]
        heapreplace(lacking, (rest + requisition.size, n))
        requisition.ordered = days[n]
        asked = calendar.nearest_business_day(days[n] - timedelta(days=requisition.lead))
        if requisition.lead < 0:
            asked = max(asked, calendar.next_business_day(days[n] + timedelta(days=1)))
        requisition.requested = asked if period == 0 else max(asked, days[0])


def _busy(days: list[date], rng: Random) -> list[float]:
    """How busy each day is: by chance, but months and weekdays together get what is theirs."""
    usual = calendar.purchase_weights(days)
    found = [weight * rng.lognormvariate(0, DAILY_SPREAD) for weight in usual]
    for _ in range(FITTING_ROUNDS):
        for of in (lambda day: (day.year, day.month), lambda day: day.weekday()):
            is_now: dict[object, float] = {}
            should: dict[object, float] = {}
            for day, weight, wanted in zip(days, found, usual, strict=True):
                is_now[of(day)] = is_now.get(of(day), 0.0) + weight
                should[of(day)] = should.get(of(day), 0.0) + wanted
            found = [
                weight * should[of(day)] / is_now[of(day)]
                for day, weight in zip(days, found, strict=True)
            ]
    return found


def _place(found: list[Requisition], cell: Cell, rng: Random) -> None:
    """Say for which store or site: a few stores for most, every site in use at least once."""
    stores = [store.tower_id for store in cell.stores]
    weights = [1 / (rank + 2) for rank in range(len(stores))]
    sites = [site.tower_id for site in cell.sites]
    rng.shuffle(sites)
    sites = sites[: max(1, round(SITES_BOUGHT_FOR * cell.size))]
    popular = [1 / (rank + 30) for rank in range(len(sites))]
    unused = list(sites)
    for requisition in found:
        if requisition.family.family.startswith("SERVIÇOS"):
            continue
        if rng.random() < STORE_SHARE:
            requisition.site = rng.choices(stores, weights)[0]
        else:
            requisition.site = unused.pop() if unused else rng.choices(sites, popular)[0]
