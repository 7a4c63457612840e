"""What bronze holds, told by the tables' own records without reading a row."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from lakehouse.bronze import tables
from lakehouse.bronze.contract import contracts
from lakehouse.settings import Settings

GENERATION_DIGITS = 6
"""`_cdc_seq` begins with the generation, in so many digits."""


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


def last_generation(settings: Settings) -> int:
    """The greatest generation of any row, told by the tables' statistics; 0 if there is none.

    A snapshot taken anew must be above it.
    """
    found = 0
    for contract in contracts():
        uri = tables.table_uri(settings, contract.source, contract.entity)
        if tables.exists(uri):
            parts = pa.table(tables.opened(uri).get_add_actions(flatten=True))
            if "max._cdc_seq" in parts.column_names:
                newest = pc.max(parts["max._cdc_seq"]).as_py()
                found = max(found, int(newest[:GENERATION_DIGITS]) if newest else 0)
    return found


def _batches(delta: DeltaTable) -> int:
    return delta.transaction_version(tables.BATCHES) or 0
