"""The bronze table of a contract, opened in the shape that it has by now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable

from lakehouse.bronze import evolution, tables
from lakehouse.bronze.contract import Contract, contracts
from lakehouse.bronze.parts import Layout
from lakehouse.bronze.shape import Shape, evolved_lines, same, shape_of, table_schema
from lakehouse.bronze.tables import Table
from lakehouse.bronze.turns import turn
from lakehouse.bronze.types import Type
from lakehouse.settings import Settings

PRUNED_BY = ("_batch_id", "_cdc_seq", "_cdc_lsn", "_cdc_commit_lsn", "_cdc_committed_at")
_checked: set[tuple[str, int, Contract]] = set()


@dataclass(frozen=True)
class ContractTable(Table):
    """A bronze table, and what it takes."""

    contract: Contract
    shape: Shape


def opened(settings: Settings, contract: Contract) -> ContractTable:
    """The table, made when it is missing, and grown to what its contract says."""
    uri = tables.table_uri(settings, contract.source, contract.entity)
    with turn(uri):
        return _opened(uri, contract)


def _opened(uri: str, contract: Contract) -> ContractTable:
    delta = tables.opened_or_made(uri, _layout(contract, table_schema(Shape(contract))))
    there = pa.schema(delta.schema())
    shape = shape_of(contract, there, uri)
    wanted = table_schema(shape, there)
    if not same(there, wanted):
        evolution.evolve(uri, delta, _layout(contract, wanted))
        delta = DeltaTable(uri)
    _checked.add((uri, _made(uri), contract))
    return ContractTable(uri, _layout(contract, wanted), delta, contract, shape)


@dataclass(frozen=True)
class Evolved:
    """A table that has become more than its contract says, and what to write there."""

    table: str
    contract_lines: tuple[str, ...]


def evolved(settings: Settings) -> list[Evolved]:
    """The tables that have columns or wider types which their contracts do not know yet."""
    found: list[Evolved] = []
    for contract in contracts():
        uri = tables.table_uri(settings, contract.source, contract.entity)
        if tables.exists(uri):
            there = pa.schema(tables.opened(uri).schema())
            lines = evolved_lines(contract, shape_of(contract, there, uri))
            if lines:
                found.append(Evolved(contract.name, tuple(lines)))
    return found


def grow(table: ContractTable, needed: Mapping[str, Type]) -> list[str]:
    """Give the table new columns and wider types that nothing in it loses by; says which."""
    shape = table.shape.grown(needed)
    there = pa.schema(table.delta.schema())
    layout = _layout(table.contract, table_schema(shape, there))
    evolution.evolve(table.uri, table.delta, layout)
    return [f"{name} {kind.name}" for name, kind in needed.items()]


def was_checked(uri: str, contract: Contract) -> bool:
    """Whether this process has seen that the table is there and is its contract's."""
    return tables.exists(uri) and (uri, _made(uri), contract) in _checked


def _made(uri: str) -> int:
    """Tells a table from another one that was put in its place."""
    return Path(uri, "_delta_log").stat().st_ino


def _layout(contract: Contract, schema: pa.Schema) -> Layout:
    return Layout(
        schema=schema,
        description=f"{contract.description} {contract.grain}",
        partition_by=("_load_date",),
        bounded=[name for name in (*contract.key, *PRUNED_BY) if name in schema.names],
        configuration={"delta.appendOnly": "true"},
    )
