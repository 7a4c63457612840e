"""What teams do every day: open work, ask their store for parts, close work."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from random import Random

from lakehouse.erp import calendar
from lakehouse.erp.plan import Ask
from lakehouse.erp.requisition import UNIT
from lakehouse.erp.transaction import NOTES, Transaction, amount
from lakehouse.erp.work import CAUSES, Work
from lakehouse.erp.world import Key, OpenWork, Shelf, Waiting

PATIENCE_DAYS = 60
LENDING_SHARE = 0.5
LONG_REPORT_BYTES = 9_000  # of noise, so that PostgreSQL cannot press it into the row
LONG_REPORT_SHARE = 0.015
REPORTS = (
    None,
    "Serviço executado conforme procedimento.",
    "Material aplicado; sobra devolvida.",
    "Acesso liberado pelo proprietário após contato.",
    "Substituído componente danificado por descarga atmosférica.",
)


def open_work(tx: Transaction, works: list[Work]) -> None:
    """Enter work, and the outages that call for some of it."""
    orders, outages = [], []
    for work in works:
        assert work.tower is not None
        opened_at = tx.clock - timedelta(minutes=tx.rng.randrange(60))
        tx.world.work[work.work_order_id] = OpenWork(opened_at, work)
        kind = (work.work_type, work.discipline, opened_at, None, work.sla_hours, None)
        place = (work.tower.tower_id, work.contract_id)
        orders.append((work.work_order_id, *place, *kind))
        if work.has_outage:
            started_at = opened_at - timedelta(minutes=tx.rng.randint(5, 50))
            row = (work.outage_id, work.tower.tower_id, work.work_order_id, started_at, None)
            outages.append((*row, CAUSES[work.discipline]))
    tx.insert("work_orders", orders)
    tx.insert("outages", outages)


def ask(tx: Transaction, asks: list[Ask]) -> None:
    """Teams ask a store for parts: it issues what it has, and buys what falls too low."""
    requests, requisitions, shelves = [], [], []
    for it in asks:
        key = (it.item_id, it.store)
        shelf = tx.world.shelves.get(key)
        if shelf is None:
            shelf = Shelf(0, 0, *it.limits)
            tx.world.add_shelf(key, shelf)
            shelves.append(shelf_row(key, shelf))
        wanted = _wanted(it, shelf)
        if wanted <= 0:
            continue
        shelf.position -= wanted
        if it.line is not None and shelf.position <= shelf.reorder_point:
            lacking = shelf.max_stock - shelf.position
            shelf.position += lacking
            tx.world.requisitioned[it.line.order_id] = lacking
            requisitions.append((it.line.order_id, *key, amount(lacking)))
        requests.append(_issue_or_wait(tx, it, key, wanted))
    tx.insert("inventory", shelves)
    tx.insert("material_requests", requests)
    for row in requisitions:
        tx.run("insert into demo.requisition_lines values ({}, {}, {}, {})", *row)


def shelf_row(key: Key, shelf: Shelf) -> tuple[object, ...]:
    """A new shelf, with nothing on it."""
    least = shelf.reorder_point // 2 // UNIT * UNIT
    return (*key, 0, amount(least), amount(shelf.max_stock), amount(shelf.reorder_point))


def _wanted(it: Ask, shelf: Shelf) -> int:
    """How much the team asks for: what was planned, steered back after losses and finds.

    Unless the store is to buy afterwards, not so much that it would have to; if so, so much that
    the purchase becomes what it is to be.
    """
    if it.line is None:
        return min(it.quantity, shelf.position - shelf.reorder_point - UNIT)
    to_buy = max(it.line.quantity, shelf.max_stock - shelf.reorder_point)
    return max(UNIT, shelf.position - (shelf.max_stock - to_buy))


def _issue_or_wait(tx: Transaction, it: Ask, key: Key, wanted: int) -> tuple[object, ...]:
    requested_at = tx.clock - timedelta(minutes=tx.rng.randrange(30))
    needed_at = requested_at + timedelta(hours=tx.rng.choice((1, 2, 4, 24, 72)))
    if tx.world.shelves[key].stock < wanted and tx.rng.random() < LENDING_SHARE:
        _borrow(tx, key, wanted - tx.world.shelves[key].stock)
    issued = min(wanted, tx.world.shelves[key].stock)
    number, work_order_id = it.material_request_id, it.work.work_order_id
    if issued:
        tx.move("issue", key, -issued, tx.clock, tx.rng.choice(NOTES))
    work = tx.world.work[work_order_id]
    if issued < wanted:
        waiting = Waiting(number, work_order_id, wanted - issued, requested_at)
        tx.world.wait(key, waiting)
        work.waits_for += 1
    else:
        work.supplied_at = tx.clock
    how = ("issued", tx.clock) if issued == wanted else ("waiting", None)
    quantities = (amount(wanted), amount(issued))
    return (number, work_order_id, *key, *quantities, requested_at, needed_at, how[1], how[0])


def _borrow(tx: Transaction, key: Key, lacking: int) -> None:
    """Another store sends what is lacking, if it can spare it."""
    for store in sorted(tx.world.stores_of[key[0]]):
        giver = tx.world.shelves[key[0], store]
        spare = min(giver.stock, giver.position - giver.reorder_point - UNIT)
        if store != key[1] and giver.max_stock and spare >= lacking:
            tx.move("transfer", (key[0], store), -lacking, tx.clock, f"para {key[1]}")
            tx.move("transfer", key, lacking, tx.clock, f"de {store}")
            giver.position -= lacking
            tx.world.shelves[key].position += lacking
            return


def give_up(tx: Transaction) -> None:
    """Teams no longer wait for what has not come for months."""
    for key in sorted(tx.world.waiting):
        for waiting in list(tx.world.waiting[key]):
            if tx.clock - waiting.requested_at > timedelta(days=PATIENCE_DAYS):
                tx.world.shelves[key].position += waiting.missing
                tx.world.let_go(key, waiting)
                tx.world.work[waiting.work_order_id].supplied_at = tx.clock
                tx.run(
                    "update public.material_requests set request_status = 'cancelled', "
                    "updated_at = {} where material_request_id = {}",
                    *(tx.clock, waiting.material_request_id),
                )


def close_work(tx: Transaction, cell: int, cells: int) -> None:
    """Close what is done: not before its parts came, so that a stock-out makes an outage longer."""
    closed, up = [], []
    for number in sorted(number for number in tx.world.work if (number - 1) % cells == cell):
        state = tx.world.work[number]
        done_at = _done(tx, state)
        if done_at is None:
            continue
        del tx.world.work[number]
        closed.append((number, done_at, _report(tx.rng)))
        if state.work.has_outage:
            up.append((state.work.outage_id, done_at))
    for number, done_at, text in closed:
        tx.run(
            "update public.work_orders set closed_at = {}, report = {}, updated_at = {} "
            "where work_order_id = {}",
            *(done_at, text, tx.clock, number),
        )
    for number, done_at in up:
        tx.run(
            "update public.outages set ended_at = {}, updated_at = {} where outage_id = {}",
            *(done_at, tx.clock, number),
        )


def _done(tx: Transaction, state: OpenWork) -> datetime | None:
    """When work was done, if it is by now."""
    work = state.work
    if state.waits_for or calendar.number(tx.clock.date()) < work.last_ask:
        return None
    done_at = state.opened_at + timedelta(hours=work.hours)
    if state.supplied_at is not None:
        # The last part takes the rest of a short job, or an hour.
        rest = min(work.hours, 1 + work.hours / 4)
        done_at = max(done_at, state.supplied_at + timedelta(hours=rest))
    done_at = done_at.replace(microsecond=0)
    return done_at if done_at <= tx.clock else None


def _report(rng: Random) -> str | None:
    """What a team writes: mostly a line, at times with photographs in it."""
    if rng.random() < LONG_REPORT_SHARE:
        return (
            f"Relatório fotográfico: {base64.b64encode(rng.randbytes(LONG_REPORT_BYTES)).decode()}"
        )
    return rng.choice(REPORTS)
