"""How items, suppliers, contracts and sites come, change and go, and what goes wrong on the way.

Sites and items that come and go are those that no work and no purchase is planned for.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from lakehouse.erp import demand, master_data, prices, supply
from lakehouse.erp.master_data import QUARTERS, Cell, Item, Tower
from lakehouse.erp.transaction import Transaction, amount, literal
from lakehouse.erp.world import Shelf

LONG_DESCRIPTION_BYTES = 9_000  # of noise, so that PostgreSQL cannot press it into the row
NEW_CODE = "-N"  # how an item's code ends after it was changed
Deed = Callable[[Transaction, Cell], None]


def reprice(tx: Transaction, _: Cell) -> None:
    """On Mondays prices follow the dollar or their yearly index: new terms, and a new cost."""
    today, before = tx.clock.date(), tx.clock.date() - timedelta(days=7)
    seed = tx.world.seed
    moved = [
        item
        for item in master_data.items()
        if item.lines and prices.cost(seed, item, today) != prices.cost(seed, item, before)
    ]
    if not moved:
        return
    [(last,)] = tx.rows("select max(item_supplier_id) from public.item_suppliers")
    costs = ", ".join(
        f"({literal(item.item_id)}, {prices.cost(seed, item, today)})" for item in moved
    )
    tx.run(
        f"update public.items i set unit_cost_brl = n.cost, updated_at = {{}} "
        f"from (values {costs}) n (item_id, cost) where i.item_id = n.item_id",
        tx.clock,
    )
    codes = ", ".join(literal(item.item_id) for item in moved)
    tx.run(
        f"update public.item_suppliers set valid_to = {{}}, updated_at = {{}} "
        f"where valid_to is null and item_id in ({codes})",
        *(today - timedelta(days=1), tx.clock),
    )
    terms = [
        supply.new_terms(seed, item, supplier, today)
        for item in moved
        for supplier in master_data.suppliers_of(item)
    ]
    tx.insert("item_suppliers", [(last + n, *row) for n, row in enumerate(terms, 1)])


def revise_item(tx: Transaction, _: Cell) -> None:
    """A buyer saves one item three times before committing: the first price was a slip."""
    item = _usual(tx).item_id
    for change in (
        "unit_cost_brl = unit_cost_brl * 10",
        "unit_cost_brl = unit_cost_brl / 10",
        "criticality = case criticality when 'A' then 'B' else 'A' end",
    ):
        tx.run(
            f"update public.items set {change}, updated_at = {{}} where item_id = {{}}",
            *(tx.clock, item),
        )


def describe_item(tx: Transaction, _: Cell) -> None:
    """An item gets a data sheet with a drawing in it, too long for PostgreSQL to keep inline."""
    tx.run(
        "update public.items set description = {}, updated_at = {} where item_id = {}",
        *(_data_sheet(tx), tx.clock, _usual(tx).item_id),
    )


def turn_over_item(tx: Transaction, cell: Cell) -> None:
    """An item that the ERP lacks comes, or comes back; one that is there goes."""
    item = _spare(tx)
    code = _known_code(tx, item)
    if code is not None:
        for table in ("inventory", "item_suppliers", "items"):
            tx.run(f"delete from public.{table} where item_id = {{}}", code)
        return
    cost = prices.opening_cost(tx.world.seed, item)
    row = (item.item_id, item.item_name, item.family, item.unit, cost, item.criticality)
    tx.insert("items", [(*row, item.is_service, _data_sheet(tx))])
    [(last,)] = tx.rows("select max(item_supplier_id) from public.item_suppliers")
    today = tx.clock.date()
    offers = [
        supply.new_terms(tx.world.seed, item, supplier, today)
        for supplier in master_data.suppliers_of(item)
    ]
    tx.insert("item_suppliers", [(last + n, *offer) for n, offer in enumerate(offers, 1)])
    stores = tx.rng.sample([store.tower_id for store in cell.stores], 2)
    empty = Shelf(0, 0, 0, 0)
    tx.insert("inventory", [demand.shelf_row((item.item_id, store), empty) for store in stores])


def recode_item(tx: Transaction, _: Cell) -> None:
    """An item gets another code, and keeps its long data sheet."""
    code = _known_code(tx, _spare(tx))
    if code is not None:
        new = code.removesuffix(NEW_CODE) if code.endswith(NEW_CODE) else code + NEW_CODE
        tx.run(
            "update public.items set item_id = {}, updated_at = {} where item_id = {}",
            *(new, tx.clock, code),
        )


def turn_over_site(tx: Transaction, cell: Cell) -> None:
    """A site is taken on, with its client's contracts, or given up."""
    site = tx.rng.choice(cell.spare_sites)
    if tx.rows("select from public.towers where tower_id = {}", site.tower_id):
        for table in ("tower_contracts", "towers"):
            tx.run(f"delete from public.{table} where tower_id = {{}}", site.tower_id)
        return
    tx.insert("towers", [site])
    contracts = cell.contracts.get(site.tower_id, ())
    tx.insert("tower_contracts", [(site.tower_id, it.contract_id) for it in contracts])


def move_site(tx: Transaction, cell: Cell) -> None:
    """A site passes to another contract: the key of its row changes."""
    spare = ", ".join(literal(site.tower_id) for site in cell.spare_sites)
    found = tx.rows(
        f"select tower_id, contract_id from public.tower_contracts where tower_id in ({spare}) "
        'order by tower_id collate "C", contract_id'
    )
    if found:
        tower, contract = tx.rng.choice(found)
        taken = {other for site, other in found if site == tower}
        free = [it.contract_id for it in master_data.contracts() if it.contract_id not in taken]
        tx.run(
            "update public.tower_contracts set contract_id = {}, updated_at = {} "
            "where (tower_id, contract_id) = ({}, {})",
            *(tx.rng.choice(free), tx.clock, tower, contract),
        )


def rename_site(tx: Transaction, cell: Cell) -> None:
    """A site gets a name after another quarter."""
    tx.run(
        "update public.towers set tower_name = upper(municipality) || ' ' || {}, updated_at = {} "
        "where tower_id = {}",
        *(tx.rng.choice(QUARTERS), tx.clock, tx.rng.choice(cell.sites).tower_id),
    )


def reassign_site(tx: Transaction, cell: Cell) -> None:
    """A site is served by another store; work that is planned still asks the old one."""
    site: Tower = tx.rng.choice(cell.sites)
    others = [it.tower_id for it in cell.stores if it.tower_id != site.served_by_tower_id]
    tx.run(
        "update public.towers set served_by_tower_id = {}, updated_at = {} where tower_id = {}",
        *(tx.rng.choice(others), tx.clock, site.tower_id),
    )


def recreate_site(tx: Transaction, cell: Cell) -> None:
    """Someone deletes a site by mistake and types it in again before anyone sees it."""
    site = tx.rng.choice(cell.sites).tower_id
    for row in tx.rows("select * from public.towers where tower_id = {}", site):
        tx.run("delete from public.towers where tower_id = {}", site)
        tx.insert("towers", [row[:-2]])


def touch_site(tx: Transaction, cell: Cell) -> None:
    """Someone opens a site and saves it as it is."""
    tx.run(
        "update public.towers set tower_name = tower_name where tower_id = {}",
        tx.rng.choice(cell.sites).tower_id,
    )


def revise_supplier(tx: Transaction, _: Cell) -> None:
    """A supplier changes its name, or is closed for new purchases, or opened again."""
    supplier = tx.rng.choice(master_data.suppliers())
    change = tx.rng.choice(
        ("is_active = not is_active", "supplier_name = upper(supplier_name)", "state = 'BA'")
    )
    tx.run(
        f"update public.suppliers set {change}, updated_at = {{}} where supplier_id = {{}}",
        *(tx.clock, supplier.supplier_id),
    )


def revise_contract(tx: Transaction, _: Cell) -> None:
    """A contract's value is adjusted."""
    percent = tx.rng.choice((98, 103, 104, 105))
    contract = tx.rng.choice(master_data.contracts())
    tx.run(
        "update public.contracts set monthly_value_brl = round(monthly_value_brl * {} / 100, 2), "
        "updated_at = {} where contract_id = {}",
        *(percent, tx.clock, contract.contract_id),
    )


def hesitate(tx: Transaction, cell: Cell) -> None:
    """Someone goes back to a savepoint, and then does something else."""
    site = tx.rng.choice(cell.sites)
    change = "update public.towers set tower_name = {}, updated_at = {} where tower_id = {}"
    tx.run("savepoint first")
    tx.run(change, "NOME PROVISÓRIO", tx.clock, site.tower_id)
    tx.run("rollback to savepoint first")
    tx.run("savepoint second")
    tx.run(
        change, f"{site.municipality.upper()} {tx.rng.choice(QUARTERS)}", tx.clock, site.tower_id
    )
    tx.run("release savepoint second")


def abandon(tx: Transaction, cell: Cell) -> None:
    """Someone begins to enter a movement, and a site, and leaves both: this is rolled back."""
    store = tx.rng.choice(cell.stores).tower_id
    number = tx.world.last_movement_id + 1
    row = (number, _usual(tx).item_id, store, "issue", amount(-1000), 1, tx.clock, "não concluído")
    tx.insert("stock_movements", [row])
    tx.run("update public.towers set tower_name = 'NÃO' where tower_id = {}", store)


def _usual(tx: Transaction) -> Item:
    return tx.rng.choice([item for item in master_data.items() if item.lines])


def _spare(tx: Transaction) -> Item:
    """An item that is not planned with; some come and go more often than others."""
    spare = [item for item in master_data.items() if not item.lines]
    return spare[int(tx.rng.random() ** 3 * len(spare))]


def _known_code(tx: Transaction, item: Item) -> str | None:
    found: list[tuple[Any, ...]] = tx.rows(
        "select item_id from public.items where item_id in ({}, {})",
        *(item.item_id, item.item_id + NEW_CODE),
    )
    return str(found[0][0]) if found else None


def _data_sheet(tx: Transaction) -> str:
    drawing = base64.b64encode(tx.rng.randbytes(LONG_DESCRIPTION_BYTES)).decode("ascii")
    return f"FICHA TÉCNICA. Desenho: {drawing}"
