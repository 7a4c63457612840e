"""What a mart is, whichever engine built it: its columns, keys and comments, as they are served.

The dbt contract is where they are declared; each engine's own catalogue is where they are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lakehouse.errors import LakehouseError

TYPES = {
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "SMALLINT": "smallint",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "DOUBLE": "double precision",
    "DATE": "date",
    "TIMESTAMP": "timestamp without time zone",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
}
"""DuckDB's types and the ones in PostgreSQL that hold the same values."""
DECIMAL = re.compile(r"(?:decimal|numeric)\((\d+, ?\d+)\)", re.IGNORECASE)


@dataclass(frozen=True)
class Column:
    """A column of a mart, with the type it has in PostgreSQL."""

    name: str
    type: str
    is_required: bool
    comment: str | None


@dataclass(frozen=True)
class Mart:
    """A table of the marts."""

    name: str
    comment: str | None
    rows: int
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()

    @property
    def own_key(self) -> tuple[str, ...]:
        """Its declared primary key; else its first column, where the house rule puts the key."""
        return self.primary_key or (self.columns[0].name,)

    def indexes(self, marts: Iterable[Mart]) -> Iterator[tuple[str, ...]]:
        """What is looked up beside its own key: its foreign keys, and a fact's series of an item.

        A foreign key has the name of the surrogate key it points to, after its role if it has one:
        that is the house rule.
        """
        keys = {other.own_key[0] for other in marts if other.own_key[0].endswith("_key")}
        for column in self.columns:
            points = any(column.name == key or column.name.endswith(f"_{key}") for key in keys)
            if points and column.name not in self.own_key[:1]:
                yield (column.name,)
        days = [c.name for c in self.columns if c.type == "date" and c.name.endswith("_date")]
        if (
            self.name.startswith("fact_")
            and days
            and any(c.name == "item_id" for c in self.columns)
        ):
            yield ("item_id", days[0])


def postgres_type(mart: str, column: str, kind: str) -> str:
    """The type in PostgreSQL that holds a DuckDB type's values exactly, or an error."""
    decimal = DECIMAL.fullmatch(kind)
    if decimal:
        return f"numeric({decimal[1].replace(' ', '')})"
    found = TYPES.get(kind)
    if found is None:
        raise no_twin(mart, column, kind)
    return found


def served_type(mart: str, column: str, kind: str) -> str:
    """A type of PostgreSQL as DuckDB's twin of it has it, so that both engines serve the same."""
    if kind == "character varying":
        return "text"
    if kind not in TYPES.values() and not DECIMAL.fullmatch(kind):
        raise no_twin(mart, column, kind)
    return kind


def no_twin(mart: str, column: str, kind: str) -> LakehouseError:
    """A type of which readers of PostgreSQL and of gold would see different values."""
    return LakehouseError(
        f"column {column} of mart {mart} is {kind}, which has no exact twin in PostgreSQL and gold",
        hint=f"cast it in the model {mart}: {', '.join(TYPES)} or a DECIMAL",
    )
