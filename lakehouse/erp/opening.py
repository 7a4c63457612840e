"""What the company has on the day its ERP goes live."""

from __future__ import annotations

from random import Random

from lakehouse.erp import calendar, demand, master_data, plan, prices, supply
from lakehouse.erp.plan import Plan
from lakehouse.erp.requisition import UNIT
from lakehouse.erp.transaction import Transaction, amount
from lakehouse.erp.upkeep import OPENING_NOTE
from lakehouse.erp.world import Key, Shelf

IDLE_SHELVES = 25  # a store: what it keeps and hardly ever uses


def enter(tx: Transaction, scale: float) -> None:
    """Enter master data, and count what is on the shelves."""
    seed = tx.world.seed
    supplied = [item for item in master_data.items() if item.lines]
    tx.insert("suppliers", [(*it[:5], True) for it in master_data.suppliers()])
    costs = [prices.opening_cost(seed, item) for item in supplied]
    tx.insert(
        "items",
        [
            (*item[:4], cost, item.criticality, item.is_service, None)
            for item, cost in zip(supplied, costs, strict=True)
        ],
    )
    terms = [
        supply.new_terms(seed, item, supplier, calendar.OPENING_DAY)
        for item in supplied
        for supplier in master_data.suppliers_of(item)
    ]
    tx.insert("item_suppliers", [(n, *row) for n, row in enumerate(terms, 1)])
    tx.insert("contracts", master_data.contracts())
    tx.flush()
    for number in range(len(master_data.sizes_of(scale))):
        _enter_branch(tx, plan.make(seed, scale, number, 0))
        tx.flush()


def _enter_branch(tx: Transaction, branch: Plan) -> None:
    cell = branch.cell
    tx.insert("towers", [*cell.stores, *cell.sites])
    tx.insert(
        "tower_contracts",
        [
            (site.tower_id, contract.contract_id)
            for site in cell.sites
            for contract in cell.contracts.get(site.tower_id, ())
        ],
    )
    on_order: dict[Key, int] = {}
    for place, line in branch.on_order:
        key = (line.item.item_id, place)
        on_order[key] = on_order.get(key, 0) + line.quantity
        values = (line.order_id, *key, amount(line.quantity))
        tx.run("insert into demo.requisition_lines values ({}, {}, {}, {})", *values)
    shelves = {
        key: Shelf(max(0, limits.max_stock - on_order.get(key, 0)), 0, *limits)
        for key, limits in branch.limits.items()
        if limits.max_stock or key in on_order
    }
    _add_idle(shelves, branch, tx.rng)
    tx.insert("inventory", [demand.shelf_row(key, shelf) for key, shelf in shelves.items()])
    for key, shelf in shelves.items():
        stock, shelf.stock = shelf.stock, 0
        tx.world.add_shelf(key, shelf)
        if stock:
            tx.move("adjustment", key, stock, tx.clock, OPENING_NOTE)


def _add_idle(shelves: dict[Key, Shelf], branch: Plan, rng: Random) -> None:
    """More than enough of what nobody will ask for soon."""
    items = [item for item in master_data.items() if item.lines and not item.is_service]
    for store in branch.cell.stores:
        for item in rng.sample(items, IDLE_SHELVES):
            usual = max(1, round(item.quantity)) * UNIT
            stock = usual * rng.randint(2, 4)
            shelves.setdefault((item.item_id, store.tower_id), Shelf(stock, 0, usual, 4 * usual))
