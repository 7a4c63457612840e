"""What happens to stock besides work and purchases: counts, returns, and mistakes found late.

Nothing here takes so much that a store would have to buy: what it buys, it buys for its work.
"""

from __future__ import annotations

from datetime import timedelta

from lakehouse.erp import master_data
from lakehouse.erp.requisition import UNIT
from lakehouse.erp.transaction import Transaction, amount
from lakehouse.erp.world import Key, Shelf

TRIES = 20
OPENING_NOTE = "saldo de abertura"


def count(tx: Transaction) -> None:
    """A count finds a little more or less than was booked."""
    for _ in range(tx.rng.randint(1, 3)):
        difference = UNIT * tx.rng.choice((-3, -2, -1, 1, 2))
        if (found := _shelf(tx, difference)) is not None:
            tx.move("adjustment", found, difference, tx.clock, "inventário cíclico")
            tx.world.shelves[found].position += difference


def give_back(tx: Transaction) -> None:
    """A team brings back what it did not use, and may say so days later."""
    if (found := _shelf(tx, UNIT)) is not None:
        moved_at = tx.clock - timedelta(days=tx.rng.choice((0, 0, 1, 4)), minutes=20)
        tx.move("return", found, UNIT, moved_at, tx.rng.choice((None, "", "sobra de obra")))
        tx.world.shelves[found].position += UNIT


def correct(tx: Transaction) -> None:
    """Someone finds that more had come, days ago, than was booked."""
    found = tx.rows(
        "select g.goods_receipt_id, g.stock_movement_id, o.item_id, o.tower_id "
        "from public.goods_receipts g join public.orders o using (order_id) "
        "where g.stock_movement_id is not null and o.order_status = 'received' "
        "and g.created_at < {} order by g.goods_receipt_id desc limit 40",
        tx.clock - timedelta(days=2),
    )
    if not found:
        return
    receipt, movement, *key = tx.rng.choice(found)
    for table, number in (("goods_receipt", receipt), ("stock_movement", movement)):
        note = ", note = 'corrigido'" if table == "stock_movement" else ""
        tx.run(
            f"update public.{table}s set quantity = quantity + {{}}{note}, updated_at = {{}} "
            f"where {table}_id = {{}}",
            *(amount(UNIT), tx.clock, number),
        )
    _change(tx, (key[0], key[1]), UNIT)


def strike(tx: Transaction) -> None:
    """A count or a return that never took place is struck out, and the stock is as before."""
    found = tx.rows(
        "select stock_movement_id, item_id, tower_id, quantity from public.stock_movements "
        "where movement_type in ('return', 'adjustment') and created_at < {} "
        "and note is distinct from {} order by stock_movement_id desc limit 40",
        *(tx.clock - timedelta(days=2), OPENING_NOTE),
    )
    tx.rng.shuffle(found)
    for number, item, tower, quantity in found:
        change = -int(quantity.scaleb(3))
        shelf = tx.world.shelves.get((item, tower))
        if shelf is not None and _can_change(shelf, change):
            tx.run("delete from public.stock_movements where stock_movement_id = {}", number)
            _change(tx, (item, tower), change)
            return


def _shelf(tx: Transaction, change: int) -> Key | None:
    """Some store's shelf whose stock may change by so much, or none if none comes up."""
    usual = [item for item in master_data.items() if item.lines]
    for _ in range(TRIES):
        item = tx.rng.choice(usual).item_id
        stores = sorted(tx.world.stores_of.get(item, ()))
        if stores:
            key = (item, tx.rng.choice(stores))
            if tx.world.shelves[key].max_stock and _can_change(tx.world.shelves[key], change):
                return key
    return None


def _can_change(shelf: Shelf, change: int) -> bool:
    return shelf.stock + change >= 0 and (
        change > 0 or shelf.position + change > shelf.reorder_point
    )


def _change(tx: Transaction, key: Key, change: int) -> None:
    tx.stock_changes[key] += change
    shelf = tx.world.shelves[key]
    shelf.stock += change
    shelf.position += change
