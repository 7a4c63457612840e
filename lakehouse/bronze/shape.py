"""What a table takes now: its contract, and what has evolved beyond it without losing anything.

The table itself remembers what evolved, in the metadata of its fields: a new column, a wider type,
and the types that it had before, so that a file from before still fits when it comes late.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import pyarrow as pa

from lakehouse.bronze import types
from lakehouse.bronze.contract import Column, Contract
from lakehouse.bronze.types import UTC_TIME, Type
from lakehouse.errors import RefusedError

TYPE, EARLIER, COMMENT, PII = "type", "earlier", "comment", "pii"
UNDESCRIBED = "New in the source; the contract does not describe it yet."

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
class Shape:
    """The columns of a table as of now, in the form of a contract."""

    contract: Contract
    earlier: Mapping[str, tuple[Type, ...]] = field(default_factory=dict)

    def landed(self, column: Column) -> tuple[pa.DataType, ...]:
        """The Arrow types that a file may bring for a column."""
        kinds = [*column.kind.landed]
        for kind in self.earlier.get(column.name, ()):
            kinds += kind.landed
        return tuple(dict.fromkeys(kinds))

    @property
    def own(self) -> tuple[Column, ...]:
        return self.contract.columns

    def grown(self, needed: Mapping[str, Type]) -> Shape:
        """The shape with these new columns, and these wider types."""
        columns = [self._widened(column, needed.get(column.name)) for column in self.own]
        known = {column.name for column in self.own}
        columns += [
            Column(name, kind.name, UNDESCRIBED, nullable=True, optional=True)
            for name, kind in needed.items()
            if name not in known
        ]
        earlier = dict(self.earlier)
        for column in self.own:
            if column.name in needed:
                earlier[column.name] = (*earlier.get(column.name, ()), column.kind)
        return Shape(replace(self.contract, columns=tuple(columns)), earlier)

    @staticmethod
    def _widened(column: Column, kind: Type | None) -> Column:
        return column if kind is None else replace(column, type=kind.name)


def technical_fields(contract: Contract) -> tuple[pa.Field, ...]:
    """The columns that bronze adds to each row of this table."""
    return (*(CHANGE_FIELDS if contract.delivers == "changes" else ()), *LOAD_FIELDS)


def table_schema(shape: Shape, there: pa.Schema | None = None) -> pa.Schema:
    """The table's columns; new ones come last where the table is there already."""
    own = {column.name: _field(shape, column) for column in shape.own}
    wanted = own | {one.name: one for one in technical_fields(shape.contract)}
    if there is None:
        return pa.schema(list(wanted.values()))
    known = [wanted.pop(name) for name in there.names]
    return pa.schema([*known, *wanted.values()])


def shape_of(contract: Contract, there: pa.Schema, uri: str) -> Shape:
    """The shape of a table that is there; RefusedError when its contract cannot be its own."""
    added = {one.name: one for one in technical_fields(contract)}
    columns: dict[str, Column] = {column.name: column for column in contract.columns}
    earlier: dict[str, tuple[Type, ...]] = {}
    wrong = [f"{name} is missing" for name in added if name not in there.names]
    for one in there:
        if one.name in added:
            if one.type != added[one.name].type:
                wrong.append(f"{one.name} is {one.type}, not {added[one.name].type}")
            continue
        kind = _kind(one, columns.get(one.name))
        if kind is None:
            wrong.append(f"{one.name} is {one.type}, which no contract can say")
            continue
        column = columns.get(one.name) or _evolved(one, kind)
        if one.name in contract.key and one.nullable:
            wrong.append(f"{one.name} may be null, and is part of the key")
        if not (types.holds(kind, column.kind) or types.holds(column.kind, kind)):
            wrong.append(f"{one.name} is {kind.name}, not {column.type}")
            continue
        wide = kind if types.holds(kind, column.kind) else column.kind
        before = [*_earlier(one), column.kind, kind]
        earlier[one.name] = tuple(b for b in dict.fromkeys(before) if b != wide)
        columns[one.name] = replace(column, type=wide.name)
    wrong += [
        f"{name} is missing, and is part of the key"
        for name in contract.key
        if name not in there.names
    ]
    if wrong:
        raise RefusedError(
            f"the table {uri} is not what its contract says: {'; '.join(wrong)}",
            hint="change the contract back; what bronze holds is only ever widened",
        )
    return Shape(replace(contract, columns=tuple(columns.values())), earlier)


def evolved_lines(contract: Contract, shape: Shape) -> list[str]:
    """What to write into the contract so that it says what its table has become."""
    said = {column.name: column for column in contract.columns}
    lines: list[str] = []
    for column in shape.own:
        if column.name not in said:
            lines += [
                f"  - name: {column.name}",
                f"    type: {column.type}",
                "    nullable: true",
                "    optional: true",
                f"    description: {UNDESCRIBED}",
            ]
        elif column.type != said[column.name].type:
            lines += [f"  - name: {column.name}", f"    type: {column.type}"]
    return lines


def _field(shape: Shape, column: Column) -> pa.Field:
    metadata = {COMMENT: column.description, PII: column.pii, TYPE: column.type}
    before = shape.earlier.get(column.name)
    if before:
        metadata[EARLIER] = " ".join(kind.name for kind in before)
    nullable = column.name not in shape.contract.key
    return pa.field(column.name, column.kind.stored, nullable=nullable, metadata=metadata)


def _metadata(one: pa.Field) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in (one.metadata or {}).items()}


def _kind(one: pa.Field, column: Column | None) -> Type | None:
    """The type of a field; tables from before it was written down have it by their contract."""
    named = _metadata(one).get(TYPE)
    if named is not None:
        return types.known(named)
    if column is not None and column.kind.stored == one.type:
        return column.kind
    return types.of_arrow(one.type)


def _earlier(one: pa.Field) -> list[Type]:
    return [types.known(name) for name in _metadata(one).get(EARLIER, "").split()]


def _evolved(one: pa.Field, kind: Type) -> Column:
    description = _metadata(one).get(COMMENT, UNDESCRIBED)
    return Column(one.name, kind.name, description, nullable=True, optional=True)


def same(left: pa.Schema, right: pa.Schema) -> bool:
    """Whether two schemas say the same of every column but its description."""

    def said(schema: pa.Schema) -> Iterable[tuple[str, pa.DataType, str | None]]:
        return [(one.name, one.type, _metadata(one).get(TYPE)) for one in schema]

    return said(left) == said(right)
