"""A transaction of the demo company, and the deeds that move its stock.

A deed finds all it needs to know in the ERP, so that nothing is remembered elsewhere, and draws its
chances from the transaction's own random numbers, so that a repeated one turns out the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple, TypeVar

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

USUAL_ISSUES_IN_FULL_STOCK = 12
DIVISIBLE = {"MT", "M", "M2", "M3", "M³", "KG", "L"}
NOTES = (None, None, None, "", "urgente", "solicitado pela equipe de campo", "NF a conferir")
T = TypeVar("T")


class Shelf(NamedTuple):
    """One item at one store, as the ERP knows it."""

    item_id: str
    tower_id: str
    stock: Decimal
    full: Decimal
    reorder_point: Decimal
    unit: str
    cost: Decimal


class Line(NamedTuple):
    """One movement to book."""

    item_id: str
    tower_id: str
    quantity: Decimal
    cost: Decimal
    moved_at: datetime
    note: str | None = None


@dataclass
class Transaction:
    """An open transaction of the ERP at a moment of the company's own clock."""

    cursor: Cursor
    clock: datetime
    rng: Random
    seed: int
    scale: float
    last_movement_id: int

    def emit_clock(self) -> None:
        """Tell whoever reads the log what time it is in the company: the first thing to do."""
        utc = self.clock.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.run("select pg_logical_emit_message(true, 'lakehouse.clock', %s)", utc)

    def run(self, sql: str, *values: object) -> None:
        self.cursor.execute(sql, values)

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        self.cursor.execute(sql, values)
        return self.cursor.fetchall()

    def insert(self, table: str, rows: Iterable[Sequence[object]]) -> None:
        """Add rows that give every column but the two timestamps, which are the clock's."""
        stamped = [(*row, self.clock, self.clock) for row in rows]
        execute_values(self.cursor, f"insert into public.{table} values %s", stamped)

    def book(self, movement_type: str, lines: Sequence[Line]) -> None:
        """Add movements and change the stock by them, so that the two agree at every commit."""
        if not lines:
            return
        movements = []
        change: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for line in lines:
            self.last_movement_id += 1
            item, tower, *rest = line
            movements.append((self.last_movement_id, item, tower, movement_type, *rest))
            change[item, tower] += line.quantity
        self.insert("stock_movements", movements)
        execute_values(
            self.cursor,
            "update public.inventory v set current_stock = v.current_stock + n.change, "
            "updated_at = n.clock from (values %s) n (item_id, tower_id, change, clock) "
            "where (v.item_id, v.tower_id) = (n.item_id, n.tower_id)",
            [(*key, quantity, self.clock) for key, quantity in change.items()],
        )

    def shelves(self, condition: str, *values: object) -> list[Shelf]:
        """The shelves that are kept filled and meet a condition, in an order of their own."""
        found = self.rows(
            "select v.item_id, v.tower_id, v.current_stock, v.max_stock, v.reorder_point, i.unit, "
            "i.unit_cost_brl from public.inventory v join public.items i using (item_id) "
            f"where v.max_stock > 0 and {condition} "
            'order by v.item_id collate "C", v.tower_id collate "C"',
            *values,
        )
        return [Shelf(*row) for row in found]

    def stores(self) -> list[str]:
        """The sites that keep stock and serve others."""
        found = self.rows(
            "select tower_id from public.towers where tower_type = 'depot' "
            'order by tower_id collate "C"'
        )
        return [store for (store,) in found]

    def some(self, found: Sequence[T], most: int) -> list[T]:
        """From one to `most` of what was found, or none where nothing was."""
        return self.rng.sample(found, min(len(found), self.rng.randint(1, most)))

    def usual(self, shelf: Shelf) -> Decimal:
        """A quantity that is asked for at one time."""
        usual = float(shelf.full) / USUAL_ISSUES_IN_FULL_STOCK
        whole = Decimal(max(1, int(usual * self.rng.triangular(0.3, 2.5, 0.8))))
        if shelf.unit not in DIVISIBLE:
            return whole
        return whole + Decimal(self.rng.randrange(1000)).scaleb(-3)

    def line(self, shelf: Shelf, quantity: Decimal) -> Line:
        moved_at = self.clock - timedelta(seconds=self.rng.randrange(7200))
        cost, note = shelf.cost, self.rng.choice(NOTES)
        return Line(shelf.item_id, shelf.tower_id, quantity, cost, moved_at, note)


Deed = Callable[[Transaction], None]


def open_stock(tx: Transaction) -> None:
    """Count what is on the shelves on the day the ERP goes live."""
    lines = []
    for shelf in tx.shelves("true"):
        quantity = (shelf.full * tx.rng.randint(30, 100) / 100).to_integral_value()
        if quantity > 0:
            lines.append(tx.line(shelf, quantity)._replace(note="saldo de abertura"))
    tx.book("adjustment", lines)


def issue(tx: Transaction) -> None:
    """A team takes parts to a tower; what the shelf lacks it goes without."""
    lines = []
    for shelf in tx.some(
        tx.shelves("v.tower_id = %s and v.current_stock > 0", tx.rng.choice(tx.stores())), 5
    ):
        line = tx.line(shelf, -min(tx.usual(shelf), shelf.stock))
        if tx.rng.random() < 0.04:
            line = line._replace(moved_at=line.moved_at - timedelta(days=tx.rng.randint(1, 9)))
        lines.append(line)
    tx.book("issue", lines)


def receive(tx: Transaction) -> None:
    """Suppliers fill up most of what fell to its reorder point at one store."""
    low = tx.shelves(
        "v.tower_id = %s and v.current_stock <= v.reorder_point", tx.rng.choice(tx.stores())
    )
    arrived = [shelf for shelf in low if tx.rng.random() < 0.7]
    tx.book("receipt", [tx.line(shelf, shelf.full - shelf.stock) for shelf in arrived])


def transfer(tx: Transaction) -> None:
    """A store helps another one out: one movement at each end."""
    shelves = tx.shelves("v.current_stock >= 2")
    if not shelves:
        return
    giver = tx.rng.choice(shelves)
    takers = tx.shelves("v.item_id = %s and v.tower_id <> %s", giver.item_id, giver.tower_id)
    if takers:
        quantity = min(tx.usual(giver), giver.stock // 2)
        line = tx.line(giver, -quantity)
        taker = line._replace(tower_id=tx.rng.choice(takers).tower_id, quantity=quantity)
        tx.book("transfer", [line, taker])


def count(tx: Transaction) -> None:
    """A count finds a little more or less than was booked."""
    lines = []
    for shelf in tx.some(tx.shelves("v.current_stock >= 3"), 3):
        difference = Decimal(tx.rng.choice((-3, -2, -1, 1, 2)))
        lines.append(tx.line(shelf, difference)._replace(note="inventário cíclico"))
    tx.book("adjustment", lines)


def give_back(tx: Transaction) -> None:
    """A team brings back what it did not use."""
    shelves = tx.some(tx.shelves("v.tower_id = %s", tx.rng.choice(tx.stores())), 2)
    tx.book("return", [tx.line(shelf, tx.usual(shelf)) for shelf in shelves])


def correct(tx: Transaction) -> None:
    """Someone finds that more had moved, days ago, than was booked."""
    old = _old_movements(
        tx, "m.movement_type = 'receipt' or m.movement_type = 'issue' and v.current_stock >= 3"
    )
    if not old:
        return
    number, item, tower, quantity = tx.rng.choice(old)
    more = Decimal(tx.rng.randint(1, 3)).copy_sign(quantity)
    tx.run(
        "update public.stock_movements set quantity = quantity + %s, note = 'corrigido', "
        "updated_at = %s where stock_movement_id = %s",
        *(more, tx.clock, number),
    )
    _change_stock(tx, item, tower, more)


def strike(tx: Transaction) -> None:
    """An issue that never took place is struck out, and its quantity is back on the shelf."""
    old = _old_movements(tx, "m.movement_type = 'issue'")
    if old:
        number, item, tower, quantity = tx.rng.choice(old)
        tx.run("delete from public.stock_movements where stock_movement_id = %s", number)
        _change_stock(tx, item, tower, -quantity)


def _old_movements(tx: Transaction, condition: str) -> list[tuple[int, str, str, Decimal]]:
    found = tx.rows(
        "select m.stock_movement_id, m.item_id, m.tower_id, m.quantity "
        "from public.stock_movements m join public.inventory v using (item_id, tower_id) "
        f"where m.created_at < %s and v.max_stock > 0 and ({condition}) "
        "order by m.stock_movement_id desc limit 100",
        tx.clock - timedelta(days=2),
    )
    return [(number, item, tower, quantity) for number, item, tower, quantity in found]


def _change_stock(tx: Transaction, item: str, tower: str, change: Decimal) -> None:
    tx.run(
        "update public.inventory set current_stock = current_stock + %s, updated_at = %s "
        "where (item_id, tower_id) = (%s, %s)",
        *(change, tx.clock, item, tower),
    )
