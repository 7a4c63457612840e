"""What a delivered row becomes in bronze, and why a row cannot: Arrow in, Arrow out, no files.

Types are compared here and exactly, because deltalake makes a silent 1 of a 1.5 on its way into a
bigint. Everything is computed by column; only a refused row is ever looked at alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.bronze.contract import Column, Contract

UTC_TIME = pa.timestamp("us", "UTC")
OPERATIONS = ("snapshot", "upsert", "delete")
MOST_GENERATIONS = 10**6
EXACT_IN_DOUBLE = 2**53

LANDED: dict[str, tuple[pa.DataType, ...]] = {"_airbyte_extracted_at": (UTC_TIME,)}
LANDED_CHANGES: dict[str, tuple[pa.DataType, ...]] = LANDED | {
    "_airbyte_generation_id": (pa.int64(),),
    "_ab_cdc_lsn": (pa.int64(), pa.float64()),
    "_ab_cdc_updated_at": (pa.string(),),
    "_ab_cdc_deleted_at": (pa.string(),),
}
# Only the embedded reader knows these; Airbyte delivers without them.
LANDED_OPTIONAL: dict[str, pa.DataType] = {
    "_cdc_commit_lsn": pa.int64(),
    "_cdc_op": pa.string(),
    "_cdc_unchanged": pa.string(),
}
OTHERS_OWN = ("_airbyte_", "_ab_")

CHANGE_FIELDS = (
    pa.field("_cdc_seq", pa.string(), nullable=False),
    pa.field("_cdc_op", pa.string(), nullable=False),
    pa.field("_cdc_lsn", pa.int64(), nullable=False),
    pa.field("_cdc_commit_lsn", pa.int64()),
    pa.field("_cdc_committed_at", UTC_TIME, nullable=False),
    pa.field("_cdc_unchanged", pa.string()),
)
LOAD_FIELDS = (
    pa.field("_airbyte_extracted_at", UTC_TIME, nullable=False),
    pa.field("_batch_id", pa.int64(), nullable=False),
    pa.field("_source_file", pa.string(), nullable=False),
    pa.field("_source_row", pa.int64(), nullable=False),
    pa.field("_loaded_at", UTC_TIME, nullable=False),
    pa.field("_load_date", pa.date32(), nullable=False),
)


@dataclass(frozen=True)
class Stamp:
    """What all rows of one file and load have in common."""

    batch_id: int
    source_file: str
    loaded_at: datetime


def bronze_schema(contract: Contract) -> pa.Schema:
    """The bronze table: columns that a delete leaves empty have to be nullable."""
    own = [
        pa.field(
            column.name,
            column.arrow,
            nullable=column.name not in contract.key,
            metadata={"comment": column.description, "pii": column.pii},
        )
        for column in contract.columns
    ]
    changes = CHANGE_FIELDS if contract.delivers == "changes" else ()
    return pa.schema([*own, *changes, *LOAD_FIELDS])


def misfit(contract: Contract, schema: pa.Schema) -> str | None:
    """Why a file's columns are not the contract's; None when they are, to the type."""
    expected: dict[str, tuple[pa.DataType, ...]] = {
        column.name: (column.arrow,) for column in contract.columns
    }
    optional: dict[str, tuple[pa.DataType, ...]] = {}
    if contract.delivers == "changes":
        expected |= LANDED_CHANGES
        optional = {name: (kind,) for name, kind in LANDED_OPTIONAL.items()}
    else:
        expected |= LANDED
    found = dict.fromkeys(_misfits(schema, expected, expected | optional))
    return "; ".join(found) or None


def _misfits(
    schema: pa.Schema,
    expected: dict[str, tuple[pa.DataType, ...]],
    known: dict[str, tuple[pa.DataType, ...]],
) -> Iterator[str]:
    for name in expected:
        if name not in schema.names:
            yield f"column {name} is missing"
    for field in schema:
        if schema.names.count(field.name) > 1:
            yield f"column {field.name} is there more than once"
        elif field.name in known:
            if field.type not in known[field.name]:
                wanted = " or ".join(str(kind) for kind in known[field.name])
                yield f"column {field.name} is {field.type}, and the contract says {wanted}"
        elif not field.name.startswith(OTHERS_OWN):
            yield f"column {field.name} is not in the contract"


def refusals(contract: Contract, batch: pa.RecordBatch) -> pa.Array:
    """For each row the reason why it cannot be taken, null when it can."""
    reasons = pa.nulls(batch.num_rows, pa.string())
    for mask, reason in _faults(contract, batch):
        if pc.any(mask).as_py():
            hit = pc.and_(pc.fill_null(mask, False), pc.is_null(reasons))
            reasons = pc.if_else(hit, reason, reasons)
    return reasons


def _faults(contract: Contract, batch: pa.RecordBatch) -> Iterator[tuple[pa.Array, str]]:
    for name in contract.key:
        yield pc.is_null(batch[name]), f"{name} is null, and it is part of the key"
    yield pc.is_null(batch["_airbyte_extracted_at"]), "_airbyte_extracted_at is null"
    change = None
    if contract.delivers == "changes":
        change = _Change(batch)
        yield from change.faults()
    for column in contract.columns:
        values = batch[column.name]
        if not column.nullable and column.name not in contract.key and values.null_count:
            yield _lacks(column, values, change), f"{column.name} is null, and may not be"
        if pa.types.is_string(values.type):
            yield pc.match_substring(values, "\0"), f"{column.name} holds a NUL character"


def _lacks(column: Column, values: pa.Array, change: _Change | None) -> pa.Array:
    """Rows without a value that should have one: deletes and unchanged values need none."""
    missing = pc.is_null(values)
    if change is None:
        return missing
    unchanged = pc.fill_null(pc.match_substring(change.unchanged, f"|{column.name}|"), False)
    return pc.and_not(missing, pc.or_(unchanged, pc.equal(change.op, "delete")))


def to_bronze(
    contract: Contract, batch: pa.RecordBatch, row_numbers: pa.Array, stamp: Stamp
) -> pa.RecordBatch:
    """The bronze rows of accepted rows, in the order of `bronze_schema`."""
    columns = [batch[column.name] for column in contract.columns]
    if contract.delivers == "changes":
        change = _Change(batch)
        columns = _without_leftovers(contract, columns, pc.equal(change.op, "delete"))
        columns += change.columns()
    rows = batch.num_rows
    columns += [
        batch["_airbyte_extracted_at"],
        pa.repeat(stamp.batch_id, rows),
        pa.repeat(stamp.source_file, rows),
        row_numbers,
        pa.repeat(pa.scalar(stamp.loaded_at, UTC_TIME), rows),
        pa.repeat(pa.scalar(stamp.loaded_at.date(), pa.date32()), rows),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=bronze_schema(contract))


def _without_leftovers(
    contract: Contract, columns: list[pa.Array], deleted: pa.Array
) -> list[pa.Array]:
    """A delete says nothing but its key: what else Airbyte sends are defaults of the types."""
    if not pc.any(deleted).as_py():
        return columns
    return [
        values
        if column.name in contract.key
        else pc.if_else(deleted, pa.scalar(None, values.type), values)
        for column, values in zip(contract.columns, columns, strict=True)
    ]


class _Change:
    """A batch's position in the change log, computed once, with null where it cannot be."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        def optional(name: str) -> pa.Array:
            if name in batch.schema.names:
                return batch[name]
            return pa.nulls(batch.num_rows, LANDED_OPTIONAL[name])

        self.generation = batch["_airbyte_generation_id"]
        self.lsn = _whole(batch["_ab_cdc_lsn"])
        self.committed_at = _times(batch["_ab_cdc_updated_at"])
        self.commit_lsn = optional("_cdc_commit_lsn")
        self.unchanged = optional("_cdc_unchanged")
        if "_cdc_op" in batch.schema.names:
            self.op = batch["_cdc_op"]
        else:
            lives = pc.is_null(batch["_ab_cdc_deleted_at"])
            self.op = pc.if_else(lives, "upsert", "delete")

    def faults(self) -> Iterator[tuple[pa.Array, str]]:
        """Where a row has no place in the change log, and why."""
        known = pc.is_in(self.op, value_set=pa.array(OPERATIONS))
        yield pc.invert(known), f"_cdc_op is none of {', '.join(OPERATIONS)}"
        yield _outside(self.generation, MOST_GENERATIONS), "_airbyte_generation_id is no generation"
        yield _outside(self.lsn, None), "_ab_cdc_lsn is not an exact LSN"
        yield pc.is_null(self.committed_at), "_ab_cdc_updated_at is not a time with a zone"

    def columns(self) -> list[pa.Array]:
        """The arrays of `CHANGE_FIELDS`."""
        phase = pc.if_else(pc.equal(self.op, "snapshot"), "0", "1")
        seq = pc.binary_join_element_wise(
            _padded(self.generation, 6), phase, _padded(self.lsn, 19), ""
        )
        return [seq, self.op, self.lsn, self.commit_lsn, self.committed_at, self.unchanged]


def _padded(numbers: pa.Array, width: int) -> pa.Array:
    return pc.utf8_lpad(pc.cast(numbers, pa.string()), width, "0")


def _outside(numbers: pa.Array, end: int | None) -> pa.Array:
    """Where a number is null, negative, or too great."""
    outside = pc.or_(pc.is_null(numbers), pc.fill_null(pc.less(numbers, 0), False))
    if end is None:
        return outside
    return pc.or_(outside, pc.fill_null(pc.greater_equal(numbers, end), False))


def _whole(numbers: pa.Array) -> pa.Array:
    """Integers out of doubles, null where a double cannot hold them exactly."""
    if not pa.types.is_floating(numbers.type):
        return numbers
    exact = pc.and_(
        pc.equal(pc.floor(numbers), numbers), pc.less(pc.abs(numbers), float(EXACT_IN_DOUBLE))
    )
    return pc.cast(pc.if_else(exact, numbers, pa.scalar(None, pa.float64())), pa.int64())


def _times(texts: pa.Array) -> pa.Array:
    """Instants out of ISO-8601 texts, null where a text is none."""
    try:
        return pc.cast(texts, UTC_TIME)
    except pa.ArrowInvalid:
        coded = texts.dictionary_encode()
        times = pa.array([_time(text) for text in coded.dictionary], UTC_TIME)
        return pc.take(times, coded.indices)


def _time(text: pa.Scalar) -> pa.Scalar:
    try:
        return pc.cast(text, UTC_TIME)
    except pa.ArrowInvalid:
        return pa.scalar(None, UTC_TIME)
