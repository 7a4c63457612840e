"""What a mart is, whichever engine built it: its columns, keys and comments, as they are served.

The dbt contract is where they are declared; each engine's own catalogue is where they are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lakehouse import bridge


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


def served_type(mart: str, column: str, kind: str) -> str:
    """A column's type as it is served, the same whichever engine built it, or an error."""
    named = f"column {column} of mart {mart}"
    return bridge.postgres_type(named, kind, mend=f"cast it in the model {mart}")
