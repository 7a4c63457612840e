"""What the towers of the made-up ERP ask their stores for, and the work that they need it for."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.dbt.written_bronze import instant

Values = dict[str, Any]
REQUESTS, WORK = "erp/material_requests", "erp/work_orders"
ITEMS = ("000", "001", "002", "unknown")
NEVER_DELIVERED = 99


@dataclass
class Requests:
    """Requests that come, are issued, corrected, taken back, and never quite known in time."""

    rng: random.Random
    emit: Callable[..., None]
    works: dict[int, Values] = field(default_factory=dict)
    asked: dict[int, Values] = field(default_factory=dict)
    given: int = 0

    def live(self, day: float) -> None:
        """One thing happens: mostly somebody asks."""
        self.rng.choice((self._ask, self._ask, self._issue, self._correct, self._work))(day)

    def lose(self) -> None:
        """A request that goes and nobody hears of."""
        if self.asked:
            del self.asked[self.rng.choice(sorted(self.asked))]

    def snapshot(self) -> list[tuple[str, Values]]:
        """Every row that there is now."""
        works = [(WORK, {"work_order_id": key, **row}) for key, row in self.works.items()]
        asked = [(REQUESTS, {"material_request_id": key, **row}) for key, row in self.asked.items()]
        return works + asked

    def demand(self) -> set[tuple[object, ...]]:
        """What fact_demand has to say, by the ERP's own memory."""
        found: dict[tuple[object, ...], list[Decimal]] = {}
        for row in self.asked.values():
            tower = self.works.get(row["work_order_id"], {}).get("tower_id")
            # São Paulo is three hours behind.
            day = (row["requested_at"] - timedelta(hours=3)).date()
            sums = found.setdefault((row["item_id"], tower, row["store_tower_id"], day), [])
            sums.append(row["requested_quantity"])
        return {(*key, len(sums), sum(sums)) for key, sums in found.items()}

    def _work(self, day: float) -> None:
        """New work, or work that turns out to be at another tower."""
        number = self.rng.randrange(6)
        self.works[number] = {
            "tower_id": f"T{self.rng.randrange(4)}",
            "work_type": "corrective",
            "discipline": "access",
            "opened_at": instant(day),
            "sla_hours": 24,
        }
        self.emit(WORK, "upsert", work_order_id=number, **self.works[number])

    def _ask(self, day: float) -> None:
        self.given += 1
        self.asked[self.given] = {
            "work_order_id": self.rng.choice((*range(6), NEVER_DELIVERED)),
            "issued_quantity": Decimal(0),
            "needed_at": instant(day),
            "request_status": "waiting",
            **self._what(day),
        }
        self._said(self.given)

    def _issue(self, day: float) -> None:
        """Some of it, all of it, or nobody waits any longer."""
        if self.asked:
            row = self.asked[number := self.rng.choice(sorted(self.asked))]
            row["request_status"] = self.rng.choice(("waiting", "issued", "cancelled"))
            row["issued_quantity"] = row["requested_quantity"] / self.rng.choice((1, 2))
            row["issued_at"] = instant(day)
            self._said(number)

    def _correct(self, day: float) -> None:
        """It was another item, store, day and quantity, or nobody ever asked."""
        if self.asked:
            number = self.rng.choice(sorted(self.asked))
            if self.rng.random() < 0.3:
                del self.asked[number]
                self.emit(REQUESTS, "delete", material_request_id=number)
            else:
                self.asked[number] |= self._what(day - self.rng.randrange(20))
                self._said(number)

    def _what(self, day: float) -> Values:
        return {
            "item_id": self.rng.choice(ITEMS),
            "store_tower_id": f"T{self.rng.randrange(3)}",
            "requested_quantity": Decimal(self.rng.randrange(1, 40)) / 4,
            "requested_at": instant(day - self.rng.choice((0, 0, 2, 30))),
        }

    def _said(self, number: int) -> None:
        self.emit(REQUESTS, "upsert", material_request_id=number, **self.asked[number])
