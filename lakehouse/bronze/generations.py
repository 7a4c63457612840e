"""The newest generation that bronze holds: a snapshot taken anew must be above it."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.bronze import tables
from lakehouse.bronze.contract import contracts
from lakehouse.settings import Settings

DIGITS = 6
"""`_cdc_seq` begins with the generation, in so many digits."""


def last_generation(settings: Settings) -> int:
    """The greatest generation of any row, told by the tables' statistics; 0 if there is none."""
    found = 0
    for contract in contracts():
        uri = tables.table_uri(settings, contract.source, contract.entity)
        if tables.exists(uri):
            parts = pa.table(tables.opened(uri).get_add_actions(flatten=True))
            if "max._cdc_seq" in parts.column_names:
                newest = pc.max(parts["max._cdc_seq"]).as_py()
                found = max(found, int(newest[:DIGITS]) if newest else 0)
    return found
