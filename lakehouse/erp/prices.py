"""What things cost: what comes from abroad follows the dollar every week, the rest a yearly index.

Prices are pure functions of seed and day, so that nobody has to remember them.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from math import pi, sin
from random import Random

from lakehouse.erp import calendar, master_data
from lakehouse.erp.master_data import Item

CENT = Decimal("0.01")
YEARLY_INDEX = 1.05
# Reais for a dollar in the middle of each month from October 2024 on, roughly as it was.
DOLLAR = (5.62, 5.80, 6.10, 6.02, 5.77, 5.75, 5.78, 5.67, 5.55, 5.53, 5.45, 5.37, 5.38)


def dollar(day: date) -> float:
    """Reais for a dollar: between the months' middles on a line, later on a slow wave."""
    months = (day.year - 2024) * 12 + day.month - 10 + (day.day - 15) / 30
    if months >= len(DOLLAR) - 1:
        return DOLLAR[-1] * (1 + 0.06 * sin((months - len(DOLLAR) + 1) * pi / 8))
    month = max(0, int(months))
    return DOLLAR[month] + (DOLLAR[month + 1] - DOLLAR[month]) * max(0.0, months - month)


@cache
def is_imported(item: Item) -> bool:
    """Whether its usual supplier is abroad."""
    return not item.is_service and master_data.suppliers_of(item)[0].is_abroad


@cache
def opening_cost(seed: int, item: Item) -> Decimal:
    """What one unit costs when the ERP goes live."""
    factor = Random(f"{seed}:cost:{item.item_id}").uniform(0.92, 1.08)
    return max(CENT, (item.unit_cost_brl * Decimal(factor)).quantize(CENT))


def cost(seed: int, item: Item, day: date) -> Decimal:
    """What one unit costs on a day: as it was set on the last Monday."""
    opening = opening_cost(seed, item)
    monday = max(day - timedelta(days=day.weekday()), calendar.OPENING_DAY)
    if is_imported(item):
        factor = dollar(monday) / dollar(calendar.OPENING_DAY)
    else:
        months = (monday.year - 2024) * 12 + monday.month - 10
        factor = YEARLY_INDEX ** ((months + 11 - _month_due(item)) // 12)
    return max(CENT, (opening * Decimal(factor)).quantize(CENT))


@cache
def _month_due(item: Item) -> int:
    return Random(f"index:{item.item_id}").randrange(12)


@cache
def supplier_factor(item_id: str, supplier_id: str) -> Decimal:
    """What a supplier asks for an item, as a multiple of its cost."""
    return Decimal(Random(f"{item_id}:{supplier_id}").uniform(0.9, 1.15))


def price(seed: int, item: Item, supplier_id: str, day: date) -> Decimal:
    """What a supplier asks for one unit on a day."""
    asked = cost(seed, item, day) * supplier_factor(item.item_id, supplier_id)
    return max(CENT, asked.quantize(CENT))
