"""What buyers and suppliers do every day: buy, put right what was bought before, deliver."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from lakehouse.erp import prices
from lakehouse.erp.master_data import Item, Supplier
from lakehouse.erp.plan import Arrival
from lakehouse.erp.requisition import UNIT, Requisition
from lakehouse.erp.transaction import NOTES, Transaction, amount
from lakehouse.erp.world import Key, OnOrder


def buy(tx: Transaction, requisition: Requisition) -> None:
    """A buyer turns a requisition into order lines; some are typed twice."""
    rows = []
    today = tx.clock.date()
    dates = (None if requisition.is_regularised else requisition.requested,)
    ordered = None if requisition.requested is None else requisition.ordered
    for line in requisition.lines:
        item = line.item
        quantity = tx.world.requisitioned.pop(line.order_id, line.quantity)
        price = prices.price(tx.world.seed, item, line.supplier_id, today)
        parties = (item.item_id, line.supplier_id, requisition.site, requisition.contract_id)
        values = (requisition.requisition_id, *parties, amount(quantity), price)
        days = (*dates, line.needed, ordered, line.expected)
        for order_id in (line.order_id, *line.copy_ids, *line.slip_ids):
            rows.append((order_id, *values, *days, "open"))
        tx.world.on_order[line.order_id] = OnOrder(quantity, 0)
    tx.insert("orders", rows)
    if requisition.site is not None:
        bought = ", ".join(str(line.order_id) for line in requisition.lines)
        tx.run(f"delete from demo.requisition_lines where order_id in ({bought})")


def regularise(tx: Transaction, requisition: Requisition) -> None:
    """Somebody writes the requisition for what was bought without one."""
    bought = ", ".join(
        str(number) for line in requisition.lines for number in (line.order_id, *line.copy_ids)
    )
    tx.run(
        f"update public.orders set requested_date = {{}}, updated_at = {{}} "
        f"where order_id in ({bought})",
        requisition.requested,
        tx.clock,
    )


def take_out(tx: Transaction, order_ids: list[int]) -> None:
    """Somebody sees lines that were typed by mistake."""
    tx.run(f"delete from public.orders where order_id in ({', '.join(map(str, order_ids))})")


def receive(tx: Transaction, place: str, arrivals: list[Arrival]) -> None:
    """Suppliers deliver, and what teams wait for is issued at once."""
    receipts, states = [], []
    for goods_receipt_id, line, is_last in arrivals:
        order = tx.world.on_order.get(line.order_id)
        if order is None:
            continue
        left = order.quantity - order.received
        came = left if is_last else left * 6 // 10 // UNIT * UNIT
        if not came:
            continue
        received_at = tx.clock - timedelta(minutes=tx.rng.randrange(60))
        movement = None
        if place:
            key = (line.item.item_id, place)
            movement = tx.move("receipt", key, came, received_at, tx.rng.choice(NOTES))
        invoice = f"{tx.rng.randrange(10**9):09d}"
        receipts.append(
            (goods_receipt_id, line.order_id, amount(came), received_at, invoice, movement)
        )
        order.received += came
        states.append((line.order_id, "received" if is_last else "partial"))
        if is_last:
            del tx.world.on_order[line.order_id]
    tx.insert("goods_receipts", receipts)
    for state in sorted({state for _, state in states}):
        numbers = ", ".join(str(number) for number, its in states if its == state)
        tx.run(
            f"update public.orders set order_status = {{}}, updated_at = {{}} "
            f"where order_id in ({numbers})",
            state,
            tx.clock,
        )
    for item in dict.fromkeys(arrival.line.item.item_id for arrival in arrivals):
        _serve(tx, (item, place))


def _serve(tx: Transaction, key: Key) -> None:
    """Issue what is on a shelf to those who wait for it, first come, first served."""
    shelf, queue = tx.world.shelves.get(key), tx.world.waiting.get(key)
    while shelf is not None and queue and shelf.stock:
        waiting = queue[0]
        issued = min(waiting.missing, shelf.stock)
        waiting.missing -= issued
        tx.move("issue", key, -issued, tx.clock, "pendência atendida")
        tx.run(
            "update public.material_requests set issued_quantity = issued_quantity + {}, "
            "issued_at = {}, request_status = {}, updated_at = {} where material_request_id = {}",
            *(amount(issued), None if waiting.missing else tx.clock),
            *("waiting" if waiting.missing else "issued", tx.clock),
            waiting.material_request_id,
        )
        if not waiting.missing:
            tx.world.let_go(key, waiting)
            tx.world.work[waiting.work_order_id].supplied_at = tx.clock


def new_terms(seed: int, item: Item, supplier: Supplier, day: date) -> tuple[object, ...]:
    """Price and conditions that a supplier offers an item at, from a day on."""
    rng = Random(f"terms:{item.item_id}:{supplier.supplier_id}")
    price = prices.price(seed, item, supplier.supplier_id, day)
    multiple = rng.choice((1, 1, 1, 5, 10)) if item.quantity > 8 else 1
    least = multiple * rng.choice((1, 1, 2))
    lead = rng.randint(2, 12) + (rng.randint(14, 30) if supplier.is_abroad else 0)
    return (item.item_id, supplier.supplier_id, price, least, multiple, lead, day, None)
