"""How each line is bought: from whom, when it comes, and what people mistype on the way."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from random import Random

from lakehouse.erp import calendar, master_data
from lakehouse.erp.requisition import Line, Requisition

COPIES = 256  # of them, lines that somebody typed twice
UNDATED = 19
NEEDED_SHARE = 0.14
MISTYPED = 60  # a year's lines that are taken out the day after
WRONG_YEAR = 2052


def choose_suppliers(found: list[Requisition], rng: Random) -> None:
    """The usual suppliers of an item, and each of a family's suppliers now and then."""
    by_family: dict[str, list[str]] = {}
    for supplier in master_data.suppliers():
        for family in supplier.families:
            by_family.setdefault(family, []).append(supplier.supplier_id)
    for suppliers in by_family.values():
        rng.shuffle(suppliers)
    lines = [line for requisition in found for line in requisition.lines]
    rng.shuffle(lines)
    for line in lines:
        spot = by_family[line.item.family]
        usual = [supplier.supplier_id for supplier in master_data.suppliers_of(line.item)]
        line.supplier_id = spot.pop() if spot else rng.choices(usual, (6, 3, 1)[: len(usual)])[0]


def complete(found: list[Requisition], factor: float, rng: Random) -> None:
    """Promises, deliveries, and the mistakes that people make when they type."""
    services, copied = [], []
    for requisition in found:
        for line in requisition.lines:
            _deliver(requisition, line, rng)
            if rng.random() < NEEDED_SHARE:
                line.needed = requisition.ordered + timedelta(days=rng.randint(3, 25))
            copied.append(line)
        if requisition.site is None and len(requisition.lines) == 1:
            services.append(requisition)
    for line in rng.sample(copied, round(COPIES * factor)):
        line.copies += 1
    for line in rng.sample(copied, round(MISTYPED * factor)):
        line.slips += 1
    dated = [r for r in services if not r.is_regularised and not r.lines[0].copies]
    for requisition in rng.sample(dated, min(len(dated), round(UNDATED * factor))):
        requisition.requested = None


def _deliver(requisition: Requisition, line: Line, rng: Random) -> None:
    """When it is promised and when it comes: late, in part, or never."""
    promised = rng.randint(2, 12)
    if line.supplier_id in _abroad():
        promised += rng.randint(14, 30)
    late = rng.choice((0, 0, 0, -1, -2, 0)) if rng.random() < 0.6 else rng.randint(1, 15)
    if rng.random() < 0.08:
        late += rng.randint(10, 30)
    first = requisition.ordered + timedelta(days=max(1, promised + late))
    arrivals = [first]
    if rng.random() < 0.12:
        arrivals.append(first + timedelta(days=rng.randint(3, 15)))
    if rng.random() < 0.985:
        line.arrivals = tuple(calendar.number(calendar.next_business_day(day)) for day in arrivals)
    if rng.random() < 0.92:
        line.expected = requisition.ordered + timedelta(days=promised)


@cache
def _abroad() -> set[str]:
    return {supplier.supplier_id for supplier in master_data.suppliers() if supplier.is_abroad}


def mistake_a_year(found: list[Requisition]) -> None:
    line = next(line for r in found[len(found) // 2 :] for line in r.lines if line.needed)
    assert line.needed is not None
    line.needed = line.needed.replace(year=WRONG_YEAR, day=min(line.needed.day, 28))
