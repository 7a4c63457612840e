"""The demo company: a small, deterministic ERP that lives business days when it is told to.

Each transaction of a day draws its random numbers from (seed, day, number of the transaction) and
counts itself in `demo.state`, so that a company killed anywhere goes on as if nothing had happened.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

import psycopg2
from psycopg2 import errors
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from lakehouse.erp import master_data, postgres, stock
from lakehouse.erp.stock import Deed, Transaction
from lakehouse.errors import LakehouseError, RefusedError, SettingsError
from lakehouse.progress import progress
from lakehouse.settings import Settings

OPENING_DAY = date(2024, 9, 30)
FIRST_DAY = date(2024, 10, 1)
OPENS_AT = time(8, tzinfo=ZoneInfo("America/Sao_Paulo"))
WORKDAY_MS = 10 * 3600 * 1000
WEEKDAY_WEIGHTS = (0.91, 1.01, 1.08, 1.22, 0.78)  # order lines, Monday to Friday
ISSUES_A_DAY = 5
RECEIPTS_A_DAY = 2
ROLLBACK_EVERY = 4
EVERY_SO_MANY_DAYS: dict[Deed, int] = {
    stock.transfer: 2,
    stock.count: 3,
    stock.give_back: 2,
    stock.correct: 3,
    stock.strike: 5,
    master_data.reprice: 3,
    master_data.revise_item: 5,
    master_data.describe_item: 6,
    master_data.register_item: 5,
    master_data.retire_item: 8,
    master_data.register_site: 6,
    master_data.retire_site: 9,
    master_data.rename_site: 6,
    master_data.reassign_site: 7,
    master_data.recreate_site: 5,
    master_data.touch_site: 2,
}
ONE_AT_A_TIME = 20241001  # the number of the advisory lock
LOCK_TIMEOUT = "10s"  # the session of a process killed a moment ago may be committing still


@dataclass(frozen=True)
class Created:
    """What the company starts with."""

    seed: int
    scale: float
    items: int
    towers: int
    movements: int


@dataclass(frozen=True)
class Advanced:
    """What the company lived through."""

    days: int
    transactions: int
    movements: int
    last_day: str


@dataclass(frozen=True)
class State:
    """The row of `demo.state`: `step` transactions of `day` are committed, `until` is not lived."""

    seed: int
    scale: float
    day: date
    step: int
    until: date
    last_movement_id: int


class Step(NamedTuple):
    """One transaction of a day."""

    number: int
    deed: Deed
    clock: datetime
    is_rolled_back: bool
    is_last: bool


def exists(settings: Settings) -> bool:
    """Whether the ERP holds a demo company."""
    with _erp(settings) as connection, connection.cursor() as cursor:
        return _is_there(cursor)


def days_lived(settings: Settings) -> int:
    """How many whole business days the company has lived."""
    with _erp(settings) as connection, connection.cursor() as cursor:
        return _number(_read(cursor).day) - _number(FIRST_DAY)


def create(settings: Settings, *, seed: int = 1, scale: float = 1) -> Created:
    """Make the ERP's tables, master data and opening stock, in one transaction."""
    if not (math.isfinite(scale) and 0 < scale <= 1000):
        raise SettingsError(f"the scale is {scale}", hint="give one above 0 and up to 1000")
    if not -(2**63) <= seed < 2**63:
        raise SettingsError(f"the seed is {seed}", hint="give one that fits into 64 bits")
    with _erp(settings) as connection, connection.cursor() as cursor:
        if _is_there(cursor):
            raise RefusedError(
                "the ERP already holds a demo company",
                hint="run `lakehouse run --demo` to let it live one more day",
            )
        _make_schema(cursor)
        clock = _clock(OPENING_DAY, 0)
        tx = Transaction(cursor, clock, Random(f"{seed}:opening"), seed, scale, 0)
        tx.emit_clock()
        first = master_data.sites(seed, scale)[: master_data.sites_at_start(scale)]
        towers = [*master_data.depots(scale), *first]
        items = master_data.items()[: -master_data.SPARE_ITEMS]
        tx.insert("towers", towers)
        master_data.register_items(tx, items)
        stock.open_stock(tx)
        state = State(seed, scale, FIRST_DAY, 0, FIRST_DAY, tx.last_movement_id)
        cursor.execute(
            "insert into demo.state values (true, %s, %s, %s, %s, %s, %s)", astuple(state)
        )
        connection.commit()
    return Created(seed, scale, len(items), len(towers), tx.last_movement_id)


def advance(settings: Settings, *, days: int) -> Advanced:
    """Live so many business days, or, after an interruption, what was left of the last call's."""
    if days < 1:
        raise SettingsError(f"{days} days cannot be lived", hint="give a number from 1 on")
    with _erp(settings) as connection, connection.cursor() as cursor:
        state = before = _read(cursor)
        if state.day == state.until:
            state = before = replace(state, until=_business_day(_number(state.day) + days))
            _save(cursor, state)
        # No commit waits for the disk but the last one, which takes all before it along: a server
        # that dies loses the newest transactions together with the record that they were lived.
        cursor.execute("set synchronous_commit = off")
        connection.commit()
        left = _number(state.until) - _number(state.day)
        transactions = 0
        with progress("business days", left) as done:
            while state.day < state.until:
                for step in plan(state)[state.step :]:
                    state = _live(connection, state, step)
                    transactions += 1
                done(1)
        cursor.execute("set synchronous_commit = on")
        _save(cursor, state)
        connection.commit()
    last_day = _business_day(_number(state.day) - 1).isoformat()
    movements = state.last_movement_id - before.last_movement_id
    return Advanced(left, transactions, movements, last_day)


def plan(state: State) -> list[Step]:
    """The transactions of a day, by its date and the seed alone."""
    rng = Random(f"{state.seed}:{state.day}")
    busy = state.scale * WEEKDAY_WEIGHTS[state.day.weekday()] * rng.uniform(0.7, 1.3)
    deeds: list[tuple[Deed, bool]] = [(stock.issue, False)] * max(1, round(ISSUES_A_DAY * busy))
    deeds += [(stock.receive, False)] * max(1, round(RECEIPTS_A_DAY * state.scale))
    if _is_due(state, "rollback", ROLLBACK_EVERY):
        deeds.append((stock.issue, True))
    for deed, every in EVERY_SO_MANY_DAYS.items():
        if _is_due(state, deed.__name__, every):
            deeds.append((deed, False))
    rng.shuffle(deeds)
    moments = sorted(rng.sample(range(WORKDAY_MS), len(deeds)))
    return [
        Step(number, deed, _clock(state.day, ms), is_rolled_back, number == len(deeds))
        for number, ((deed, is_rolled_back), ms) in enumerate(zip(deeds, moments, strict=True), 1)
    ]


def _is_due(state: State, what: str, every: int) -> bool:
    offset = Random(f"{state.seed}:{what}").randrange(every)
    return (_number(state.day) + offset) % every == 0


def _live(connection: Connection, state: State, step: Step) -> State:
    with connection.cursor() as cursor:
        rng = Random(f"{state.seed}:{state.day}:{step.number}")
        tx = Transaction(cursor, step.clock, rng, state.seed, state.scale, state.last_movement_id)
        tx.emit_clock()
        step.deed(tx)
        if step.is_rolled_back:
            connection.rollback()
        else:
            state = replace(state, last_movement_id=tx.last_movement_id)
        if step.is_last:
            state = replace(state, day=_business_day(_number(state.day) + 1), step=0)
        else:
            state = replace(state, step=step.number)
        _save(cursor, state)
    connection.commit()
    return state


def _make_schema(cursor: Cursor) -> None:
    try:
        cursor.execute(Path(__file__).with_name("schema.sql").read_text("utf8"))
    except (errors.DuplicateTable, errors.DuplicateObject, errors.DuplicateSchema) as error:
        raise RefusedError(
            f"the ERP's database holds something else already: {_first_line(error)}",
            hint="set ERP_DSN to an empty database; the demo never touches what is not its own",
        ) from error


def _read(cursor: Cursor) -> State:
    if not _is_there(cursor):
        raise RefusedError(
            "the ERP holds no demo company", hint="run `lakehouse run --demo`, which makes one"
        )
    cursor.execute("select seed, scale, day, step, until, last_movement_id from demo.state")
    [row] = cursor.fetchall()
    return State(*row)


def _save(cursor: Cursor, state: State) -> None:
    cursor.execute(
        "update demo.state set (seed, scale, day, step, until, last_movement_id) = "
        "(%s, %s, %s, %s, %s, %s)",
        astuple(state),
    )


def _is_there(cursor: Cursor) -> bool:
    cursor.execute("select to_regclass('demo.state') is not null")
    return cursor.fetchone() == (True,)


@contextmanager
def _erp(settings: Settings) -> Iterator[Connection]:
    """One session of the ERP, the only one that plays the company."""
    dsn = postgres.erp_dsn(settings)
    try:
        connection = psycopg2.connect(
            dsn, connect_timeout=10, options=f"-c lock_timeout={LOCK_TIMEOUT}"
        )
        try:
            with connection.cursor() as cursor:
                cursor.execute("select pg_advisory_lock(%s)", (ONE_AT_A_TIME,))
            yield connection
        finally:
            connection.close()
    except errors.LockNotAvailable as error:
        raise RefusedError(
            "another process holds the demo company",
            hint="wait until it has ended, then run the same command again",
        ) from error
    except errors.InsufficientPrivilege as error:
        raise LakehouseError(
            f"the ERP does not let the demo company in: {_first_line(error)}",
            hint="give ERP_DSN a user who owns the database",
        ) from error
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        raise LakehouseError(
            f"the ERP {'failed' if error.pgcode else 'cannot be reached'}: {_first_line(error)}",
            hint="see that it is up (the embedded one: `lakehouse up`), then run the same command "
            "again: it goes on where it stopped",
        ) from error


def _first_line(error: psycopg2.Error) -> str:
    return str(error).strip().partition("\n")[0]


def _clock(day: date, milliseconds: int) -> datetime:
    opening = datetime.combine(day, OPENS_AT).astimezone(UTC)
    return opening + timedelta(milliseconds=milliseconds)


def _number(business_day: date) -> int:
    """Business days since the year 1, weekends left out."""
    weeks, weekday = divmod(business_day.toordinal() - 1, 7)
    return weeks * 5 + weekday


def _business_day(number: int) -> date:
    weeks, weekday = divmod(number, 5)
    return date.fromordinal(weeks * 7 + weekday + 1)
