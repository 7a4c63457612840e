"""What bronze holds, told by the tables' own records without reading a row."""

from __future__ import annotations

from dataclasses import dataclass

from deltalake import DeltaTable

from lakehouse.bronze import tables
from lakehouse.bronze.contract import contracts
from lakehouse.settings import Settings


@dataclass(frozen=True)
class Holding:
    """One table: its rows, and how many loads brought them."""

    table: str
    rows: int
    batches: int


def holdings(settings: Settings) -> list[Holding]:
    """Every contracted table that was made, by source and name."""
    found = []
    for contract in contracts():
        uri = tables.table_uri(settings, contract.source, contract.entity)
        if tables.exists(uri):
            delta = tables.opened(uri)
            found.append(Holding(contract.name, tables.rows_of(delta), _batches(delta)))
    return found


def _batches(delta: DeltaTable) -> int:
    return delta.transaction_version(tables.BATCHES) or 0
