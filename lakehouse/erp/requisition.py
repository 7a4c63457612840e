"""What is asked for and bought together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from lakehouse.erp.master_data import Family, Item

UNIT = 1000
"""One of anything: quantities are whole thousandths."""


@dataclass(slots=True)
class Line:
    """An order line to come; `quantity` is what demand is steered to, in thousandths."""

    item: Item
    supplier_id: str
    quantity: int
    expected: date | None
    needed: date | None
    arrivals: tuple[int, ...]  # business days of its deliveries; none: it never comes
    copies: int = 0  # how often it is typed again, and stays
    slips: int = 0  # how often it is typed again, and is taken out the day after
    order_id: int = 0
    copy_ids: tuple[int, ...] = ()
    slip_ids: tuple[int, ...] = ()


@dataclass(slots=True)
class Requisition:
    """Lines that are asked for and bought together, for one place."""

    family: Family
    lines: list[Line]
    lead: int = 0
    ordered: date = date.min
    requested: date | None = None
    site: str | None = None
    requisition_id: str | None = None
    contract_id: str | None = None

    @property
    def size(self) -> int:
        return len(self.lines)

    @property
    def is_regularised(self) -> bool:
        """Bought first, and only then asked for."""
        return self.requested is not None and self.requested > self.ordered

    @property
    def raised(self) -> date:
        """The day on which its parts were found lacking."""
        return min(self.requested or self.ordered, self.ordered)
