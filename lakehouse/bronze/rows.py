"""What a delivered row becomes in bronze, and why a row cannot: Arrow in, Arrow out, no files.

Everything is computed by column; only a refused row is ever looked at alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.bronze import types
from lakehouse.bronze.contract import Column, Contract
from lakehouse.bronze.fitting import fitted
from lakehouse.bronze.position import LANDED, LANDED_CHANGES, LANDED_OPTIONAL, Position
from lakehouse.bronze.shape import Shape
from lakehouse.bronze.types import UTC_TIME, Type

OTHERS_OWN = ("_airbyte_", "_ab_")
NAME = re.compile(r"[a-z][a-z0-9_]*")
TOAST = r"^(__debezium_unavailable_value|java\.lang\.Object@[0-9a-f]+)$"
"""How Airbyte says that the ERP did not send a long value again."""

Fault = tuple[pa.Array, str]


class NeedsEvolutionError(Exception):
    """The table has to grow before these rows fit: columns by name, and their types."""

    def __init__(self, needed: Mapping[str, Type]) -> None:
        super().__init__(", ".join(f"{name} {kind.name}" for name, kind in needed.items()))
        self.needed = dict(needed)


@dataclass(frozen=True)
class Stamp:
    """What all rows of one file and load have in common."""

    batch_id: int
    source_file: str
    loaded_at: datetime


@dataclass(frozen=True)
class Judged:
    """Delivered rows as bronze would store them; what is refused has a reason and no meaning."""

    columns: list[pa.Array]
    reasons: pa.Array | None
    """Null where a row is taken; None when every row is."""


@dataclass(frozen=True)
class Fit:
    """What a file's columns are to a table, before any row is read."""

    misfit: str | None
    needed: dict[str, Type] = field(default_factory=dict)


def fit(shape: Shape, schema: pa.Schema) -> Fit:
    """Why a file's columns are not the table's, or what the table needs to take them."""
    contract = shape.contract
    expected = {column.name: shape.landed(column) for column in shape.own}
    optional = {column.name for column in shape.own if column.optional}
    expected |= LANDED_CHANGES if contract.delivers == "changes" else LANDED
    known = expected | (LANDED_OPTIONAL if contract.delivers == "changes" else {})
    wrong = [
        f"column {name} is missing"
        for name in expected
        if name not in schema.names and name not in optional
    ]
    needed: dict[str, Type] = {}
    own = {column.name: column for column in shape.own}
    for one in schema:
        if schema.names.count(one.name) > 1:
            wrong.append(f"column {one.name} is there more than once")
        elif one.name in known:
            kind = _wider(own.get(one.name), one.type)
            if one.type not in known[one.name] and kind is None:
                wanted = " or ".join(str(kind) for kind in known[one.name])
                wrong.append(f"column {one.name} is {one.type}, and the contract says {wanted}")
            elif one.type not in known[one.name] and kind is not None:
                needed[one.name] = kind
        elif not one.name.startswith(OTHERS_OWN):
            kind = types.of_arrow(one.type) if NAME.fullmatch(one.name) else None
            if kind is None:
                wrong.append(f"column {one.name} ({one.type}) is not in the contract")
            else:
                needed[one.name] = kind
    return Fit("; ".join(dict.fromkeys(wrong)) or None, needed)


def _wider(column: Column | None, landed: pa.DataType) -> Type | None:
    """The type that holds both what a column was and what it is delivered as."""
    kind = types.of_arrow(landed)
    return kind if kind and column and types.holds(kind, column.kind) else None


def judge(shape: Shape, batch: pa.RecordBatch, given: Iterable[Fault] = ()) -> Judged:
    """Bring rows into the table's types; `given` is what is known to be wrong with them."""
    contract, rows = shape.contract, batch.num_rows
    position = Position(batch) if contract.delivers == "changes" else None
    unchanged = position.unchanged if position else pa.nulls(rows, pa.string())
    gone = pc.equal(position.op, "delete") if position else None
    if gone is not None and not pc.any(gone).as_py():
        gone = None
    faults: list[Fault] = [(_but(mask, gone), why) for mask, why in given]
    faults += _own_faults(batch, position)
    columns: list[pa.Array] = []
    needed: dict[str, Type] = {}
    for column in shape.own:
        values = _delivered(batch, column, rows)
        is_key = column.name in contract.key
        if position and not is_key and position.is_foreign:
            values, unchanged = _without_markers(column, values, unchanged)
        if gone is not None and not is_key:
            # A delete says nothing but its key: what else Airbyte sends are defaults of the types.
            values = pc.if_else(gone, pa.scalar(None, values.type), values)
        one = fitted(column.kind, values)
        if one.wider:
            needed[column.name] = one.wider
        columns.append(one.values)
        faults += [(mask, f"{column.name} {why}") for mask, why in one.misfits]
        faults += _value_faults(contract, column, values, unchanged, gone)
    if needed:
        raise NeedsEvolutionError(needed)
    if position:
        columns += position.columns(unchanged)
    return Judged(columns, _reasons(rows, faults))


def stamped(
    judged: Judged, batch: pa.RecordBatch, numbers: pa.Array, stamp: Stamp, schema: pa.Schema
) -> pa.RecordBatch:
    """The bronze rows of what was taken, in the order of the contract."""
    rows = batch.num_rows
    columns = [
        *judged.columns,
        pc.cast(batch["_airbyte_extracted_at"], UTC_TIME),
        pa.repeat(stamp.batch_id, rows),
        pa.repeat(stamp.source_file, rows),
        numbers,
        pa.repeat(pa.scalar(stamp.loaded_at, UTC_TIME), rows),
        pa.repeat(pa.scalar(stamp.loaded_at.date(), pa.date32()), rows),
    ]
    if judged.reasons is None:
        return pa.RecordBatch.from_arrays(columns, schema=schema)
    free = pa.schema([pa.field(one.name, one.type) for one in schema])
    whole = pa.RecordBatch.from_arrays(columns, schema=free)
    return whole.filter(pc.is_null(judged.reasons)).cast(schema)


def _delivered(batch: pa.RecordBatch, column: Column, rows: int) -> pa.Array:
    if column.name in batch.schema.names:
        return batch[column.name]
    return pa.nulls(rows, column.kind.stored)


def _without_markers(
    column: Column, values: pa.Array, unchanged: pa.Array
) -> tuple[pa.Array, pa.Array]:
    """Null for each marker, and the column's name among those that did not change."""
    if not pa.types.is_string(values.type):
        return values, unchanged
    marked = pc.fill_null(pc.match_substring_regex(values, TOAST), False)
    if not pc.any(marked).as_py():
        return values, unchanged
    before = pc.fill_null(unchanged, "|")
    named = pc.binary_join_element_wise(before, pa.scalar(f"{column.name}|"), "")
    values = pc.if_else(marked, pa.scalar(None, values.type), values)
    return values, pc.if_else(marked, named, unchanged)


def _own_faults(batch: pa.RecordBatch, position: Position | None) -> Iterator[Fault]:
    """What is wrong with what came with the row: its delivery, and its place in the log."""
    yield pc.is_null(batch["_airbyte_extracted_at"]), "_airbyte_extracted_at is null"
    if "_airbyte_meta" in batch.schema.names:
        meta = batch["_airbyte_meta"]
        if pa.types.is_struct(meta.type) and meta.type.get_field_index("changes") >= 0:
            changes = pc.struct_field(meta, "changes")
            if pa.types.is_list(changes.type):
                changed = pc.greater(pc.list_value_length(changes), 0)
                yield changed, "Airbyte could not write one of its values (_airbyte_meta.changes)"
    if position:
        yield from position.faults()


def _value_faults(
    contract: Contract,
    column: Column,
    values: pa.Array,
    unchanged: pa.Array,
    gone: pa.Array | None,
) -> Iterator[Fault]:
    """What the contract forbids in a column; a delete and an unchanged value need no value."""
    if column.name in contract.key:
        yield pc.is_null(values), f"{column.name} is null, and it is part of the key"
    elif not column.nullable and values.null_count:
        marked = pc.fill_null(pc.match_substring(unchanged, f"|{column.name}|"), False)
        missing = pc.and_not(pc.is_null(values), marked)
        yield _but(missing, gone), f"{column.name} is null, and may not be"
    if pa.types.is_string(values.type) and _may_hold_nul(values):
        yield pc.match_substring(values, "\0"), f"{column.name} holds a NUL character"


def _may_hold_nul(texts: pa.Array) -> bool:
    """Whether their bytes hold one: a look at all together takes hardly any time."""
    content = texts.buffers()[2]
    return content is not None and content.size > 0 and np.frombuffer(content, np.uint8).min() == 0


def _but(mask: pa.Array, gone: pa.Array | None) -> pa.Array:
    return mask if gone is None else pc.and_not(mask, pc.fill_null(gone, False))


def _reasons(rows: int, faults: Iterable[Fault]) -> pa.Array | None:
    """For each row the first reason why it cannot be taken, null when it can."""
    reasons = None
    for mask, why in faults:
        if pc.any(mask).as_py():
            before = pa.nulls(rows, pa.string()) if reasons is None else reasons
            hit = pc.and_(pc.fill_null(mask, False), pc.is_null(before))
            reasons = pc.if_else(hit, why, before)
    return reasons
