"""Made-up purchasing, work and outages: rows that come, change, go and return, of any content."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.dbt.written_bronze import instant

Values = dict[str, Any]
Key = tuple[Any, ...]
KEYS = {
    "erp/suppliers": ("supplier_id",),
    "erp/contracts": ("contract_id",),
    "erp/tower_contracts": ("tower_id", "contract_id"),
    "erp/orders": ("order_id",),
    "erp/goods_receipts": ("goods_receipt_id",),
    "erp/work_orders": ("work_order_id",),
    "erp/outages": ("outage_id",),
}
WEIGHTS = (1, 1, 2, 4, 4, 2, 2)
EMPTIED = ("goods_receipts", "tower_contracts")
Emit = Callable[..., None]


class Business:
    """Makes a change at a time, and knows what is there after it."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.held: dict[str, dict[Key, Values]] = {table: {} for table in KEYS}

    def change(self, day: float, emit: Emit) -> None:
        """A row comes, is another one from now on, or goes."""
        (table,) = self.rng.choices(list(KEYS), WEIGHTS)
        key = self._key(table)
        named = dict(zip(KEYS[table], key, strict=True))
        if key in self.held[table] and self.rng.random() < 0.25:
            del self.held[table][key]
            emit(table, "delete", **named)
        else:
            self.held[table][key] = self._values(table, day)
            emit(table, "upsert", **named, **self.held[table][key])

    def empty(self) -> Iterator[str]:
        """The tables that a TRUNCATE empties."""
        for entity in EMPTIED:
            self.held[f"erp/{entity}"].clear()
            yield entity

    def deliveries(self) -> set[tuple[int, Decimal]]:
        """What has come of each order line."""
        came = dict.fromkeys((key for (key,) in self.held["erp/orders"]), Decimal(0))
        for receipt in self.held["erp/goods_receipts"].values():
            if receipt["order_id"] in came:
                came[receipt["order_id"]] += receipt["quantity"]
        return set(came.items())

    def _key(self, table: str) -> Key:
        if table == "erp/tower_contracts":
            return f"T{self.rng.randrange(4)}", f"NC{self.rng.randrange(3)}"
        if table in ("erp/suppliers", "erp/contracts"):
            return (f"{'NC' if table == 'erp/contracts' else 'S'}{self.rng.randrange(3)}",)
        # Parts are asked for work orders of lower numbers; a resync takes these away.
        return (self.rng.randrange(25) + (100 if table == "erp/work_orders" else 0),)

    def _values(self, table: str, day: float) -> Values:
        maker: Callable[[float], Values] = getattr(self, f"_{table.removeprefix('erp/')}")
        return maker(day)

    def _suppliers(self, day: float) -> Values:
        return {"supplier_name": f"of day {day}", "country": "BR", "is_active": True}

    def _contracts(self, day: float) -> Values:
        return {
            "client_name": f"of day {day}",
            "service_type": "corretiva",
            "sla_tier": "gold",
            "availability_target": Decimal("99.50"),
            "monthly_value_brl": self._number(10_000),
            "penalty_pct": Decimal("2.50"),
        }

    def _tower_contracts(self, _day: float) -> Values:
        return {}

    def _orders(self, day: float) -> Values:
        return {
            "item_id": self.rng.choice(("000", "001", "002", "unknown")),
            "supplier_id": f"S{self.rng.randrange(4)}",
            "tower_id": self.rng.choice((None, "T0", "T1")),
            "contract_id": self.rng.choice((None, "NC0", "NC3")),
            "requested_date": self._date(day - 9),
            "ordered_date": self.rng.choice((None, self._date(day), self._date(day - 40))),
            "needed_date": self.rng.choice((None, date(2052, 5, 11))),
            "expected_date": self._date(day + 5),
            "order_status": self.rng.choice(("open", "partial", "received", "cancelled")),
            "quantity": self._number(10),
            "unit_price_brl": self._number(100),
        }

    def _goods_receipts(self, day: float) -> Values:
        return {
            "order_id": self.rng.randrange(25),
            "quantity": self._number(10),
            "received_at": self._moment(day, 20),
        }

    def _work_orders(self, day: float) -> Values:
        opened_at = self._moment(day, 50)
        return {
            "tower_id": f"T{self.rng.randrange(4)}",
            "contract_id": self.rng.choice((None, "NC0", "NC1", "NC3")),
            "work_type": "corrective",
            "discipline": "cooling",
            "opened_at": opened_at,
            "closed_at": self._end(opened_at),
            "sla_hours": self.rng.choice((8, 24, 720)),
        }

    def _outages(self, day: float) -> Values:
        started_at = self._moment(day, 50)
        return {
            "tower_id": f"T{self.rng.randrange(4)}",
            "started_at": started_at,
            "ended_at": self._end(started_at),
            "cause": "power",
        }

    def _end(self, begin: datetime) -> datetime | None:
        hours = self.rng.choice((None, 1, 24, 24 * 40))
        return None if hours is None else begin + timedelta(hours=hours)

    def _moment(self, day: float, before: int) -> datetime:
        return instant(day - self.rng.randrange(before * 10) / 10)

    def _date(self, day: float) -> date:
        return instant(day).date()

    def _number(self, below: int) -> Decimal:
        return Decimal(self.rng.randrange(1, below * 100)) / 100
