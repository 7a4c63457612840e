"""The demo company: a deterministic ERP that lives business days when it is told to.

Each transaction of a day draws its random numbers from (seed, day, number of the transaction) and
counts itself in `demo.state`, so that a company killed anywhere goes on as if nothing had happened.
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass, replace
from datetime import date
from pathlib import Path
from random import Random

from psycopg2 import errors
from psycopg2.extensions import cursor as Cursor

from lakehouse.erp import calendar, days, opening, session, world
from lakehouse.erp.days import Plans, Step
from lakehouse.erp.transaction import Transaction, literal
from lakehouse.erp.world import World
from lakehouse.errors import RefusedError, SettingsError, first_line
from lakehouse.progress import progress
from lakehouse.settings import Settings

HISTORY_DAYS = calendar.HISTORY_DAYS
"""The business days that the real company was measured on: thirteen months."""

COUNTS = "select (select count(*) from items), (select count(*) from towers)"
END_OF_DAY = (
    "insert into demo.days select {}, pg_current_wal_insert_lsn(), "
    "last_value from demo.history_change_id_seq"
)


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


def exists(settings: Settings) -> bool:
    """Whether the ERP holds a demo company."""
    with session.playing(settings) as cursor:
        return _is_there(cursor)


def days_lived(settings: Settings) -> int:
    """How many whole business days the company has lived."""
    with session.playing(settings) as cursor:
        return calendar.number(read(cursor).day) - calendar.FIRST_NUMBER


def create(settings: Settings, *, seed: int = 1, scale: float = 1, days: int = 0) -> Created:
    """Make the ERP's tables, master data and opening stock, in one transaction.

    `days` are for the first `advance` to live, whatever it is asked for.
    """
    if not (math.isfinite(scale) and 0 < scale <= 1000):
        raise SettingsError(f"the scale is {scale}", hint="give one above 0 and up to 1000")
    if not -(2**63) <= seed < 2**63:
        raise SettingsError(f"the seed is {seed}", hint="give one that fits into 64 bits")
    with session.playing(settings) as cursor:
        if _is_there(cursor):
            raise RefusedError(
                "the ERP already holds a demo company",
                hint="run `lakehouse demo advance`, which lets it live one more day",
            )
        cursor.execute("begin")
        _make_schema(cursor)
        clock = calendar.clock(calendar.OPENING_DAY, 0)
        tx = Transaction(cursor, World(seed, 0), clock, Random(f"{seed}:opening"))
        tx.emit_clock()
        opening.enter(tx, scale)
        first = calendar.FIRST_DAY
        until = calendar.business_day(calendar.FIRST_NUMBER + days)
        state = State(seed, scale, first, 0, until, tx.world.last_movement_id)
        cursor.execute(
            "insert into demo.state values (true, %s, %s, %s, %s, %s, %s)", astuple(state)
        )
        cursor.execute("commit")
        cursor.execute(END_OF_DAY.format(literal(calendar.OPENING_DAY)))
        cursor.execute("analyze")  # or the planner takes big tables for small ones
        cursor.execute(COUNTS)
        [(items, towers)] = cursor.fetchall()
    return Created(seed, scale, items, towers, state.last_movement_id)


def advance(settings: Settings, *, days: int) -> Advanced:
    """Live so many business days, or, after an interruption, what was left of the last call's."""
    if days < 1:
        raise SettingsError(f"{days} days cannot be lived", hint="give a number from 1 on")
    with session.playing(settings) as cursor:
        before = read(cursor)
        if before.day == before.until:
            until = calendar.business_day(calendar.number(before.day) + days)
            before = replace(before, until=until)
            cursor.execute("update demo.state set until = %s", (until,))
        # No commit waits for the disk but the last one, which takes all before it along: a server
        # that dies loses the newest transactions together with the record that they were lived.
        cursor.execute("set synchronous_commit = off")
        left = calendar.number(before.until) - calendar.number(before.day)
        transactions, last_movement_id = _live_until(cursor, before, left)
        cursor.execute("set synchronous_commit = on")
        cursor.execute("update demo.state set until = until")
    last_day = calendar.business_day(calendar.number(before.until) - 1).isoformat()
    return Advanced(left, transactions, last_movement_id - before.last_movement_id, last_day)


def _live_until(cursor: Cursor, state: State, left: int) -> tuple[int, int]:
    plans = Plans(state.seed, state.scale)
    works, typed_again = plans.recall(state.day, world.open_work(cursor))
    now = world.read(cursor, state.seed, state.last_movement_id, works, typed_again)
    transactions = 0
    with progress("business days", left) as done:
        while state.day < state.until:
            for step in days.steps(plans, state.day)[state.step :]:
                live(cursor, now, state, step)
                transactions += 1
            tomorrow = calendar.business_day(calendar.number(state.day) + 1)
            _end_day(cursor, state.day, tomorrow)
            state = replace(state, day=tomorrow, step=0)
            done(1)
    return transactions, now.last_movement_id


def live(cursor: Cursor, now: World, state: State, step: Step) -> None:
    """Live one transaction of a day, and remember that it was lived."""
    rng = Random(f"{state.seed}:{state.day}:{step.number}")
    tx = Transaction(cursor, now, step.clock, rng)
    step.deed(tx)
    tx.commit(
        f"update demo.state set step = {step.number}, last_movement_id = {now.last_movement_id}",
        is_rolled_back=step.is_rolled_back,
    )


def _end_day(cursor: Cursor, day: date, tomorrow: date) -> None:
    """Write down where the change log stands, once all that was done that day is committed."""
    ended = END_OF_DAY.format(literal(day))
    moved_on = f"update demo.state set day = {literal(tomorrow)}, step = 0"
    cursor.execute(f"begin; {ended}; {moved_on}; commit")


def _make_schema(cursor: Cursor) -> None:
    try:
        cursor.execute(Path(__file__).with_name("schema.sql").read_text("utf8"))
    except (errors.DuplicateTable, errors.DuplicateObject, errors.DuplicateSchema) as error:
        raise RefusedError(
            f"the ERP's database holds something else already: {first_line(error)}",
            hint="set ERP_DSN to an empty database; the demo never touches what is not its own",
        ) from error


def read(cursor: Cursor) -> State:
    """How far the company has lived."""
    if not _is_there(cursor):
        raise RefusedError(
            "the ERP holds no demo company", hint="run `lakehouse run --demo`, which makes one"
        )
    cursor.execute("select seed, scale, day, step, until, last_movement_id from demo.state")
    [row] = cursor.fetchall()
    return State(*row)


def _is_there(cursor: Cursor) -> bool:
    cursor.execute("select to_regclass('demo.state') is not null")
    return cursor.fetchone() == (True,)
