"""A transaction of the demo company: composed here, then sent to the ERP in one round trip."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from random import Random
from typing import Any

from psycopg2.extensions import cursor as Cursor

from lakehouse.erp import CLOCK_PREFIX
from lakehouse.erp.world import Key, World

NOTES = (None, None, None, "", "urgente", "solicitado pela equipe de campo", "NF a conferir")


class Transaction:
    """What is done at one moment of the company's own clock."""

    def __init__(self, cursor: Cursor, world: World, clock: datetime, rng: Random) -> None:
        self.cursor = cursor
        self.world = world
        self.clock = clock
        self.rng = rng
        self.statements: list[str] = []
        self.movements: list[tuple[object, ...]] = []
        self.stock_changes: dict[Key, int] = defaultdict(int)

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What the ERP holds before this transaction."""
        self.cursor.execute(sql.format(*map(literal, values)))
        return self.cursor.fetchall()

    def run(self, sql: str, *values: object) -> None:
        """Add a statement; each `{}` in it becomes a value."""
        self.statements.append(sql.format(*map(literal, values)))

    def insert(self, table: str, rows: Iterable[Sequence[object]]) -> None:
        """Add rows that give every column but the two timestamps, which are the clock's."""
        clock = literal(self.clock)
        values = [f"({', '.join(map(literal, row))}, {clock}, {clock})" for row in rows]
        if values:
            self.statements.append(f"insert into public.{table} values {', '.join(values)}")

    def move(
        self, kind: str, key: Key, quantity: int, moved_at: datetime, note: str | None = None
    ) -> int:
        """Change a stock by a movement, so that the two agree at every commit; return its number.

        The position is not changed: whoever moves something knows whether that was expected.
        """
        world = self.world
        world.last_movement_id += 1
        cost = world.cost(key[0], self.clock.date())
        self.movements.append(
            (world.last_movement_id, *key, kind, amount(quantity), cost, moved_at, note)
        )
        world.shelves[key].stock += quantity
        self.stock_changes[key] += quantity
        return world.last_movement_id

    def emit_clock(self) -> None:
        """Tell whoever reads the log what time it is in the company: the first thing to do."""
        self.cursor.execute(self._clock())

    def flush(self) -> None:
        """Send what there is so far, in a transaction that someone else has begun and will end."""
        self._book()
        if self.statements:
            self.cursor.execute(";\n".join(self.statements))
        self.statements, self.movements = [], []
        self.stock_changes.clear()

    def commit(self, *last: str, is_rolled_back: bool = False) -> None:
        """Commit it all, together with `last`; or roll it back and commit `last` alone."""
        self._book()
        between = ["rollback", "begin"] if is_rolled_back else []
        all_of_it = ["begin", self._clock(), *self.statements, *between, *last, "commit"]
        self.cursor.execute(";\n".join(all_of_it))

    def _clock(self) -> str:
        utc = self.clock.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return f"select pg_logical_emit_message(true, '{CLOCK_PREFIX}', '{utc}')"

    def _book(self) -> None:
        self.insert("stock_movements", self.movements)
        changes = [(*key, amount(change)) for key, change in self.stock_changes.items() if change]
        if changes:
            values = ", ".join(f"({', '.join(map(literal, change))})" for change in changes)
            self.statements.append(
                "update public.inventory v set current_stock = v.current_stock + n.change, "
                f"updated_at = {literal(self.clock)} from (values {values}) n (item_id, tower_id, "
                "change) where (v.item_id, v.tower_id) = (n.item_id, n.tower_id)"
            )


def amount(thousandths: int) -> Decimal:
    """A quantity as the ERP writes it."""
    return Decimal(thousandths).scaleb(-3)


def literal(value: object) -> str:
    """A value as SQL; strings as PostgreSQL reads them with standard_conforming_strings."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, datetime):
        return f"'{value.isoformat()}'::timestamptz"
    if isinstance(value, date):
        return f"'{value.isoformat()}'::date"
    text = str(value).replace("'", "''")
    return f"'{text}'"
