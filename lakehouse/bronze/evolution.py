"""A table that grows without losing anything: new columns, and wider types for old values.

deltalake adds columns, but widens none, and of what Delta calls type widening not every reader
knows. So parts with narrow values are written anew, with the same rows, and the commit that makes
the table wide also puts the wide parts in the place of the narrow ones. That commit is our own:
deltalake has no call for one that changes both. No reader ever sees one without the other.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, Schema
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction

from lakehouse.bronze.parts import Layout, Part, parquet, rows_at_a_time
from lakehouse.bronze.tables import writing
from lakehouse.landing.files import sync_folder


def evolve(uri: str, delta: DeltaTable, layout: Layout) -> None:
    """Give the table the layout's columns in one commit; CommitFailedError if another was first."""
    parts: list[Part] = []
    is_tried = False
    try:
        with writing(uri):
            swaps: list[dict[str, Any]] = []
            for old, path in _narrow(uri, delta, layout.schema):
                part = Part(Path(uri), layout, old["partition"])
                parts.append(part)
                swaps += _swap(old, rewritten(part, [path], layout.schema))
            actions = [_operation(), _metadata(delta, layout), *swaps]
            is_tried = True
            _commit(uri, delta.version() + 1, actions)
    except BaseException as error:
        # Interrupted within the commit, it may be there and name the parts: then they stay.
        if not is_tried or isinstance(error, CommitFailedError):
            for part in parts:
                part.discard()
        raise


def rewritten(part: Part, paths: list[Path], schema: pa.Schema) -> AddAction:
    """The rows of parts in the columns of today, in the same order."""
    for path in paths:
        with parquet(path) as old:
            for batch in old.iter_batches(rows_at_a_time(old.metadata)):
                part.write(_completed(batch, schema))
    action = part.finish(data_change=False)
    assert action is not None, "a part of a table has rows"
    return action


def _completed(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """A batch with every column of the schema: null where it is older than the column."""
    have = batch.schema.names
    columns = [
        batch[one.name].cast(one.type) if one.name in have else pa.nulls(batch.num_rows, one.type)
        for one in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def live_parts(delta: DeltaTable) -> list[dict[str, Any]]:
    """The parts of a table: path, size, partition and first batch."""
    rows = pa.table(delta.get_add_actions(flatten=True)).to_pylist()
    prefix = "partition."
    return [
        {
            "path": row["path"],
            "size": row["size_bytes"],
            "batch": row.get("min._batch_id") or 0,
            "partition": {
                name.removeprefix(prefix): str(value)
                for name, value in row.items()
                if name.startswith(prefix)
            },
        }
        for row in rows
    ]


def _narrow(
    uri: str, delta: DeltaTable, schema: pa.Schema
) -> Iterator[tuple[dict[str, Any], Path]]:
    """The parts that hold a column in another type than it shall have."""
    there = pa.schema(delta.schema())
    changed = {one.name for one in there if one.type != schema.field(one.name).type}
    if not changed:
        return
    for part in live_parts(delta):
        path = Path(uri, part["path"])
        physical = pq.read_schema(path)
        if any(physical.field(n).type != schema.field(n).type for n in changed & {*physical.names}):
            yield part, path


def _swap(old: dict[str, Any], new: AddAction) -> list[dict[str, Any]]:
    now = int(time.time() * 1000)
    return [
        {
            "remove": {
                "path": old["path"],
                "deletionTimestamp": now,
                "dataChange": False,
                "extendedFileMetadata": True,
                "partitionValues": old["partition"],
                "size": old["size"],
            }
        },
        {
            "add": {
                "path": new.path,
                "partitionValues": dict(new.partition_values),
                "size": new.size,
                "modificationTime": new.modification_time,
                "dataChange": False,
                "stats": new.stats,
            }
        },
    ]


def _operation() -> dict[str, Any]:
    return {
        "commitInfo": {
            "timestamp": int(time.time() * 1000),
            "operation": "CHANGE COLUMN",
            "operationParameters": {},
        }
    }


def _metadata(delta: DeltaTable, layout: Layout) -> dict[str, Any]:
    known = delta.metadata()
    return {
        "metaData": {
            "id": str(known.id),
            "name": known.name,
            "description": known.description,
            "format": {"provider": "parquet", "options": {}},
            "schemaString": Schema.from_arrow(layout.schema).to_json(),
            "partitionColumns": list(known.partition_columns),
            "createdTime": known.created_time,
            "configuration": dict(known.configuration),
        }
    }


def _commit(uri: str, version: int, actions: list[dict[str, Any]]) -> None:
    """Put one commit in its place, whole and durable, unless that place is taken."""
    log = Path(uri, "_delta_log")
    unfinished = log / f".{uuid.uuid4().hex}.unfinished"
    try:
        with unfinished.open("x", encoding="utf8") as out:
            out.writelines(json.dumps(action, ensure_ascii=False) + "\n" for action in actions)
            out.flush()
            os.fsync(out.fileno())
        os.link(unfinished, log / f"{version:020d}.json")
        sync_folder(log)
    except FileExistsError as error:
        raise CommitFailedError(f"version {version} of {uri} is another's") from error
    finally:
        unfinished.unlink(missing_ok=True)
