"""The company as the ERP has it, in memory: read once, then kept equal at every commit.

Nothing is remembered here that the ERP does not hold, so that whoever starts anew finds the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from psycopg2.extensions import cursor as Cursor

from lakehouse.erp import master_data, prices
from lakehouse.erp.work import Work

Key = tuple[str, str]  # item, store


@dataclass(slots=True)
class Shelf:
    """An item at a store, in thousandths; position = stock + on order - asked for and unmet."""

    stock: int
    position: int
    reorder_point: int
    max_stock: int


@dataclass(slots=True)
class Waiting:
    """A request that was not met, or not wholly."""

    material_request_id: int
    work_order_id: int
    missing: int
    requested_at: datetime


@dataclass(slots=True)
class OpenWork:
    """Work that is not done: since when, how many parts it waits for, when the last was settled."""

    opened_at: datetime
    work: Work
    waits_for: int = 0
    supplied_at: datetime | None = None


@dataclass(slots=True)
class OnOrder:
    """An order line that was not delivered, or not wholly."""

    quantity: int
    received: int


@dataclass
class World:
    """Stock, demand that waits, work that is open, and what is on order."""

    seed: int
    last_movement_id: int
    shelves: dict[Key, Shelf] = field(default_factory=dict)
    stores_of: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    waiting: dict[Key, list[Waiting]] = field(default_factory=lambda: defaultdict(list))
    work: dict[int, OpenWork] = field(default_factory=dict)
    requisitioned: dict[int, int] = field(default_factory=dict)  # not bought yet
    on_order: dict[int, OnOrder] = field(default_factory=dict)

    def cost(self, item_id: str, day: date) -> Decimal:
        """What one unit of an item costs on a day."""
        return prices.cost(self.seed, master_data.item(item_id), day)

    def add_shelf(self, key: Key, shelf: Shelf) -> None:
        self.shelves[key] = shelf
        self.stores_of[key[0]].append(key[1])

    def wait(self, key: Key, waiting: Waiting) -> None:
        """Queue up: who asked first is served first."""
        queue = self.waiting[key]
        queue.append(waiting)
        queue.sort(key=lambda it: (it.requested_at, it.material_request_id))

    def let_go(self, key: Key, waiting: Waiting) -> None:
        """Somebody waits no longer, and nor does their work for that part."""
        queue = self.waiting[key]
        queue.remove(waiting)
        if not queue:
            del self.waiting[key]
        self.work[waiting.work_order_id].waits_for -= 1


def open_work(cursor: Cursor) -> set[int]:
    """The work orders that are not closed."""
    cursor.execute("select work_order_id from public.work_orders where closed_at is null")
    return {number for (number,) in cursor}


def read(
    cursor: Cursor,
    seed: int,
    last_movement_id: int,
    works: Mapping[int, Work],
    typed_again: Container[int],
) -> World:
    """The company as it is, given what is planned for its work; lines typed again never come."""
    world = World(seed, last_movement_id)
    cursor.execute(
        "select item_id, tower_id, current_stock, reorder_point, max_stock from public.inventory "
        'order by item_id collate "C", tower_id collate "C"'
    )
    for item, store, stock, reorder_point, full in cursor:
        key, now = (item, store), _thousandths(stock)
        world.add_shelf(key, Shelf(now, now, _thousandths(reorder_point), _thousandths(full)))
    _read_demand(cursor, world, works)
    _read_supply(cursor, world, typed_again)
    return world


def _read_demand(cursor: Cursor, world: World, works: Mapping[int, Work]) -> None:
    cursor.execute(
        "select w.work_order_id, w.opened_at, greatest(max(r.issued_at), max(r.updated_at) "
        "filter (where r.request_status = 'cancelled')) from public.work_orders w "
        "left join public.material_requests r using (work_order_id) "
        "where w.closed_at is null group by w.work_order_id order by w.work_order_id"
    )
    for number, opened_at, supplied_at in cursor:
        if number in works:  # or somebody else entered it, and closes it
            world.work[number] = OpenWork(opened_at, works[number], 0, supplied_at)
    cursor.execute(
        "select material_request_id, work_order_id, item_id, store_tower_id, "
        "requested_quantity - issued_quantity, requested_at from public.material_requests "
        "where request_status = 'waiting' order by requested_at, material_request_id"
    )
    for number, work_order, item, store, missing, requested_at in cursor:
        if work_order not in world.work:
            continue
        waiting = Waiting(number, work_order, _thousandths(missing), requested_at)
        world.wait((item, store), waiting)
        world.work[work_order].waits_for += 1
        world.shelves[item, store].position -= waiting.missing


def _read_supply(cursor: Cursor, world: World, typed_again: Container[int]) -> None:
    cursor.execute(
        "select order_id, item_id, tower_id, quantity, null from demo.requisition_lines "
        "union all select o.order_id, o.item_id, o.tower_id, o.quantity, "
        "coalesce(sum(r.quantity), 0) from public.orders o "
        "left join public.goods_receipts r using (order_id) "
        "where o.order_status in ('open', 'partial') group by o.order_id"
    )
    for number, item, store, quantity, received in cursor:
        if number in typed_again:
            continue
        if received is None:
            world.requisitioned[number] = _thousandths(quantity)
        else:
            world.on_order[number] = OnOrder(_thousandths(quantity), _thousandths(received))
        if (shelf := world.shelves.get((item, store))) is not None:
            shelf.position += _thousandths(quantity - (received or 0))


def _thousandths(quantity: Decimal) -> int:
    return int(quantity.scaleb(3))
