"""The newest rows of a table, and the newest commit of all: what a check of a delivery looks at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
from deltalake.exceptions import DeltaError

from lakehouse.bronze import tables
from lakehouse.bronze.contract import contracts
from lakehouse.errors import LakehouseError, first_line
from lakehouse.settings import Settings


def landed_rows(
    settings: Settings,
    table: str,
    after_batch: int,
    columns: Sequence[str],
    most: int | None = None,
) -> pa.Table:
    """The rows of every batch after one; every so-manyth of them where they are more than `most`.

    Read piece by piece, so that a sample of a great load takes little memory.
    """
    uri = tables.table_uri(settings, *table.split("/"))
    is_new = pc.field("_batch_id") > after_batch
    try:
        dataset = tables.opened(uri).to_pyarrow_dataset()
        rows = dataset.count_rows(filter=is_new)
        step = 1 if most is None else max(1, -(-rows // most))
        taken, passed = [], 0
        # No column at all would make a frame of no rows.
        scanner = dataset.scanner(columns=list(columns) or ["_batch_id"], filter=is_new)
        for piece in scanner.to_batches():
            wanted = pa.array(range(-passed % step, piece.num_rows, step), pa.int64())
            taken.append(piece if step == 1 else piece.take(wanted))
            passed += piece.num_rows
    except (DeltaError, OSError, pa.ArrowException) as error:
        raise LakehouseError(
            f"what landed in bronze table {table} cannot be read: {first_line(error)}",
            hint="see `When a table is damaged` in docs/lake.md",
        ) from error
    return pa.Table.from_batches(taken, scanner.projected_schema)


def newest_commit(settings: Settings) -> datetime | None:
    """When the newest delivered change was committed, told by the tables' statistics."""
    newest: datetime | None = None
    for contract in contracts():
        uri = tables.table_uri(settings, contract.source, contract.entity)
        if contract.delivers == "changes" and contract.source != "_cdc" and tables.exists(uri):
            parts = pa.table(tables.opened(uri).get_add_actions(flatten=True))
            if "max._cdc_committed_at" in parts.column_names:
                found = pc.max(parts["max._cdc_committed_at"]).as_py()
                newest = max(filter(None, (newest, found)), default=None)
    return newest
