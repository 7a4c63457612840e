"""A made-up ERP with every way in which a row can change, and what it holds in the end."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.dbt.made_up_business import Business
from tests.dbt.made_up_requests import Requests
from tests.dbt.written_bronze import LOADED_AT, Row, boundary, change, instant

Values = dict[str, Any]
TYPES = ("macro", "depot")
CLOSED = "a store that never moves anything again"
CODES = ("000", "001", "002", "003")


@dataclass
class Erp:
    """Lives a number of transactions and remembers each change as a reader would deliver it."""

    rng: random.Random
    items: dict[str, Values] = field(default_factory=dict)
    towers: dict[str, Values] = field(default_factory=dict)
    inventory: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    movements: dict[int, Values] = field(default_factory=dict)
    log: list[tuple[str, Row]] = field(default_factory=list)
    lsn: int = 100
    generation: int = 1
    day: float = 0.0
    requests: Requests = field(init=False)
    business: Business = field(init=False)

    def __post_init__(self) -> None:
        self.requests = Requests(self.rng, self._emit)
        self.business = Business(random.Random(self.rng.random()))

    def live(self, transactions: int) -> None:
        """A first snapshot, then that many transactions; halfway TRUNCATE, later a resync."""
        for number, code in enumerate(CODES):
            self.items[code] = self._item(code)
            self.towers[f"T{number}"] = self._tower()
        self.resync()
        self.move(CLOSED)
        for number in range(transactions):
            # Several transactions of one instant, and sometimes a clock that is set back.
            self.day += self.rng.choice((0, 0.5, 0.5, 1, -0.25))
            self.lsn += self.rng.randint(1, 50)
            change = (self.change_item, self.change_tower, self.ask, self.ask)
            self.rng.choice((*change, self.move, self.move, self.correct))()
            self.lsn += 1
            self.business.change(self.day, self._emit)
            if number == transactions // 2:
                self.truncate_towers()
                self.truncate_business()
            if number == transactions * 3 // 4:
                self.lose_changes()
                self.resync()

    def change_item(self) -> None:
        """A new one, a price, a change of nothing, a deletion, a return, another key."""
        item_id = self.rng.choice([*sorted(self.items), *CODES])
        item = self.items.get(item_id)
        kind = self.rng.choice(("price", "price", "nothing", "name", "delete", "rename_key"))
        if item is None:
            self.items[item_id] = self._item(item_id)
            self._emit("erp/items", "upsert", item_id=item_id, **self.items[item_id])
        elif kind == "delete":
            del self.items[item_id]
            self._emit("erp/items", "delete", item_id=item_id)
        elif kind == "rename_key":
            new_id = f"renamed at {self.lsn}"
            self.items[new_id] = self.items.pop(item_id)
            self._emit("erp/items", "delete", item_id=item_id)
            unsent = {"description": None, "_cdc_unchanged": "|description|"}
            self._emit("erp/items", "upsert", item_id=new_id, **(item | unsent))
        else:
            if kind == "price":
                item["unit_cost_brl"] = self._number(100)
            elif kind == "name":
                item["item_name"] = f"name {self.rng.randrange(3)}"
            # The long description was not touched, so PostgreSQL does not send it.
            sent = item | {"description": None}
            self._emit(
                "erp/items", "upsert", item_id=item_id, _cdc_unchanged="|description|", **sent
            )

    def change_tower(self) -> None:
        tower_id = f"T{self.rng.randrange(5)}"
        if tower_id in self.towers and self.rng.random() < 0.3:
            del self.towers[tower_id]
            self._emit("erp/towers", "delete", tower_id=tower_id)
        else:
            self.towers[tower_id] = self._tower()
            self._emit("erp/towers", "upsert", tower_id=tower_id, **self.towers[tower_id])

    def move(self, tower_id: str | None = None) -> None:
        """A movement and the stock it changes; its item may be one that nobody ever delivered."""
        number = len([row for table, row in self.log if table == "erp/stock_movements"])
        values: Values = {
            "item_id": self.rng.choice([*CODES, "unknown"]),
            "tower_id": tower_id or f"T{self.rng.randrange(4)}",
            "movement_type": "adjustment",
            "quantity": self._number(10) - 5,
            "unit_cost_brl": self._number(100),
            "moved_at": instant(self.day - self.rng.choice((0, 0, 2, 30))),
        }
        self.movements[number] = values
        self._emit("erp/stock_movements", "upsert", stock_movement_id=number, **values)
        self._stock(values, values["quantity"])

    def correct(self) -> None:
        """A movement is moved to another day and quantity, or was never true."""
        if not self.movements:
            return
        number = self.rng.choice(sorted(self.movements))
        values = self.movements[number]
        if self.rng.random() < 0.5:
            del self.movements[number]
            self._emit("erp/stock_movements", "delete", stock_movement_id=number)
            self._stock(values, -values["quantity"])
        else:
            corrected = values | {
                "quantity": self._number(10) - 5,
                "moved_at": instant(self.day - self.rng.randrange(20)),
            }
            self.movements[number] = corrected
            self._emit("erp/stock_movements", "upsert", stock_movement_id=number, **corrected)
            self._stock(values, corrected["quantity"] - values["quantity"])

    def ask(self) -> None:
        self.requests.live(self.day)

    def truncate_towers(self) -> None:
        """All towers go at one position, and all but one come back as they were."""
        self.lsn += 1
        self.log.append(("_cdc/boundaries", self._boundary("towers", "truncate", None)))
        back = self.rng.sample(sorted(self.towers), len(self.towers) - 1)
        self.towers = {tower_id: self.towers[tower_id] for tower_id in back}
        self.day += 1
        for tower_id, tower in self.towers.items():
            self.lsn += 1
            self._emit("erp/towers", "upsert", tower_id=tower_id, **tower)
        for tower_id in back * 4:
            self.move(tower_id)

    def truncate_business(self) -> None:
        for entity in self.business.empty():
            self.lsn += 1
            self.log.append(("_cdc/boundaries", self._boundary(entity, "truncate", None)))

    def lose_changes(self) -> None:
        """What the reader never sees: the resync after it has to find out."""
        del self.items[self.rng.choice(sorted(self.items))]
        pair = next(pair for pair in self.inventory if pair[1] == CLOSED)
        del self.inventory[pair]
        self.movements = {
            number: row
            for number, row in self.movements.items()
            if (row["item_id"], row["tower_id"]) != pair
        }
        self.items["unseen"] = self._item("unseen")
        self.requests.lose()
        self.generation += 1

    def resync(self) -> None:
        """A snapshot of everything, and a boundary a table that says how many rows it has."""
        self.lsn += 1
        snapshot: list[tuple[str, Row]] = []
        for item_id, item in self.items.items():
            snapshot.append(("erp/items", self._row("snapshot", item_id=item_id, **item)))
        for tower_id, tower in self.towers.items():
            snapshot.append(("erp/towers", self._row("snapshot", tower_id=tower_id, **tower)))
        for pair, stock in self.inventory.items():
            snapshot.append(
                ("erp/inventory", self._row("snapshot", **self._inventory(pair, stock)))
            )
        for number, movement in self.movements.items():
            row = self._row("snapshot", stock_movement_id=number, **movement)
            snapshot.append(("erp/stock_movements", row))
        for table, values in self.requests.snapshot():
            snapshot.append((table, self._row("snapshot", **values)))
        self.log += snapshot
        entities = ("items", "towers", "inventory", "stock_movements")
        for entity in (*entities, "work_orders", "material_requests"):
            rows = sum(table == f"erp/{entity}" for table, _ in snapshot)
            self.log.append(("_cdc/boundaries", self._boundary(entity, "snapshot", rows)))

    def stragglers(self) -> list[tuple[str, Row]]:
        """What touches keys that no row of theirs arrives for.

        The TRUNCATE, one row of the second snapshot, which counts only with all its rows, and the
        half of a key change that says which key the other half had before.
        """
        second = f"{self.generation:06d}0"
        items = [row for table, row in self.log if table == "erp/items"]
        heirs = {row["_cdc_seq"] for row in items if row["item_id"].startswith("renamed")}

        def is_straggler(table: str, row: Row) -> bool:
            seq = row.get("_cdc_seq", "")
            is_old_key = table == "erp/items" and row["_cdc_op"] == "delete" and seq in heirs
            is_snapshot = table == "erp/inventory" and seq.startswith(second)
            return is_old_key or is_snapshot or row.get("kind") == "truncate"

        late = {table: (table, row) for table, row in self.log if is_straggler(table, row)}
        return list(late.values())

    def delivered_again(self) -> list[tuple[str, Row]]:
        """Some changes once more, extracted before or after the first time, and some twins.

        A twin says something else at the position of another row and was extracted after it, so it
        is not to be believed, though the other row comes a third time, extracted later still.
        """
        changes = [entry for entry in self.log if "_cdc_seq" in entry[1]]
        again = [
            (table, self._extracted(row, days))
            for days in (-1, 1)
            for table, row in self.rng.sample(changes, 10)
        ]
        named = [row for table, row in changes if table == "erp/items" and row.get("item_name")]
        for row in self.rng.sample(named, 10):
            again.append(("erp/items", self._extracted(row | {"item_name": "twin"}, 2)))
            again.append(("erp/items", self._extracted(row, 3)))
        return again

    def shuffled(self) -> list[tuple[str, Row]]:
        """Everything in any order, but snapshots and towers first.

        A late boundary touches all keys, a late tower most movements, and would hide what late
        items fail to touch.
        """
        entries = [*self.log, *self.delivered_again()]
        self.rng.shuffle(entries)
        return sorted(
            entries,
            key=lambda entry: (
                entry[0] != "erp/towers" and entry[1].get("_cdc_op", "snapshot") != "snapshot"
            ),
        )

    @staticmethod
    def _extracted(row: Row, days: int) -> Row:
        return row | {"_airbyte_extracted_at": LOADED_AT + timedelta(days=days)}

    def _stock(self, movement: Values, quantity: Decimal) -> None:
        pair = (movement["item_id"], movement["tower_id"])
        self.inventory[pair] = self.inventory.get(pair, Decimal(0)) + quantity
        self._emit("erp/inventory", "upsert", **self._inventory(pair, self.inventory[pair]))

    def _inventory(self, pair: tuple[str, str], stock: Decimal) -> Values:
        limits = {"min_stock": Decimal(0), "max_stock": Decimal(9), "reorder_point": Decimal(3)}
        return {"item_id": pair[0], "tower_id": pair[1], "current_stock": stock, **limits}

    def _item(self, item_id: str) -> Values:
        return {
            "item_name": f"name of {item_id}",
            "family": "EPI",
            "unit": "UN",
            "unit_cost_brl": self._number(100),
            "criticality": "A",
            "is_service": False,
            "description": f"long text {self.rng.randrange(1000)}",
        }

    def _tower(self) -> Values:
        return {
            "tower_name": f"tower {self.rng.randrange(3)}",
            "tower_type": self.rng.choice(TYPES),
            "state": "BA",
            "municipality": "Salvador",
            "latitude": Decimal("-12.97"),
            "longitude": Decimal("-38.5"),
            "served_by_tower_id": self.rng.choice((None, "T0", "store never seen")),
        }

    def _number(self, below: int) -> Decimal:
        return Decimal(self.rng.randrange(1, below * 100)) / 100

    def _emit(self, table: str, op: str, **values: Any) -> None:
        self.log.append((table, self._row(op, **values)))

    def _row(self, op: str, **values: Any) -> Row:
        return change(self.lsn, op, day=self.day, generation=self.generation, **values)

    def _boundary(self, entity: str, kind: str, rows: int | None) -> Row:
        at = instant(self.day)
        row = boundary(entity, self.lsn, kind, rows, generation=self.generation)
        return row | {"committed_at": at}
