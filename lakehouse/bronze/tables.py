"""Bronze Delta tables: opened or made, asked what they hold, and appended to in one commit.

A commit carries one transaction id a file it holds, so the table itself knows which files it has,
for ever: transaction ids outlive checkpoints and log cleanup, other metadata of a commit do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction

from lakehouse.bronze import parts
from lakehouse.errors import LakehouseError, RefusedError
from lakehouse.settings import Settings

BATCHES = "lakehouse.batch"
"""The transaction id whose version is the table's last batch; two writers of one batch collide."""
STATISTICS = "delta.dataSkippingStatsColumns"


def table_uri(settings: Settings, source: str, entity: str) -> str:
    """Where the bronze table of an entity lies."""
    return f"{settings.bronze_uri}/{source}/{entity}"


@dataclass(frozen=True)
class Layout:
    """How a table is made, and what every part of it obeys."""

    schema: pa.Schema
    description: str
    partition_by: Sequence[str]
    bounded: Sequence[str]
    """Columns whose least and greatest value each part tells, so that readers can skip it."""
    configuration: Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """A table as it was when it was opened: a commit by another since then makes ours fail."""

    uri: str
    layout: Layout
    delta: DeltaTable

    def has(self, transaction_id: str) -> bool:
        """Whether a commit carried the id."""
        return self.delta.transaction_version(transaction_id) is not None

    def next_batch(self) -> int:
        """One more than the last batch committed."""
        return (self.delta.transaction_version(BATCHES) or 0) + 1

    def append(
        self,
        batches: Iterable[pa.RecordBatch],
        transactions: Mapping[str, int],
        partition: Mapping[str, str],
    ) -> None:
        """Commit rows and transaction ids as one; CommitFailedError if another was first."""
        folder, layout = Path(self.uri), self.layout
        try:
            part = parts.write(
                folder, layout.schema, batches, partition=partition, bounded=layout.bounded
            )
            try:
                self._commit(part, transactions)
            except DeltaError:
                if part is not None:
                    parts.remove(folder, part)
                raise
        except CommitFailedError:
            raise
        except (DeltaError, OSError) as error:
            raise LakehouseError(
                f"the table {self.uri} cannot be written: {_first_line(error)}",
                hint="nothing was committed; mend it and run `lakehouse bronze load` again",
            ) from error

    def _commit(self, part: AddAction | None, transactions: Mapping[str, int]) -> None:
        ids = [Transaction(name, version) for name, version in transactions.items()]
        self.delta.create_write_transaction(
            [] if part is None else [part],
            mode="append",
            schema=self.delta.schema(),
            partition_by=list(self.layout.partition_by),
            commit_properties=CommitProperties(app_transactions=ids),
        )


def opened(uri: str, layout: Layout) -> Table:
    """The table as it is now, made empty if it is not there yet."""
    try:
        table = _opened_or_made(uri, layout)
    except (DeltaError, OSError) as error:
        raise LakehouseError(
            f"the table {uri} cannot be opened: {_first_line(error)}",
            hint="mend what is said, then run `lakehouse bronze load` again",
        ) from error
    there = pa.schema(table.schema())
    if not there.equals(layout.schema):
        difference = _difference(there, layout.schema)
        raise RefusedError(
            f"the table {uri} has other columns than its contract: {difference}",
            hint="change the contract back; what bronze holds is never rewritten",
        )
    return Table(uri, layout, table)


def _opened_or_made(uri: str, layout: Layout) -> DeltaTable:
    try:
        return DeltaTable(uri)
    except TableNotFoundError:
        DeltaTable.create(
            uri,
            layout.schema,
            mode="ignore",
            partition_by=list(layout.partition_by),
            description=layout.description,
            configuration={STATISTICS: ",".join(layout.bounded), **layout.configuration},
        )
        return DeltaTable(uri)


def _difference(there: pa.Schema, wanted: pa.Schema) -> str:
    def fields(schema: pa.Schema) -> set[str]:
        return {
            f"{field.name} {field.type}{'' if field.nullable else ' not null'}" for field in schema
        }

    if fields(there) == fields(wanted):
        return "the same, in another order"
    only_there = ", ".join(sorted(fields(there) - fields(wanted))) or "nothing more"
    only_wanted = ", ".join(sorted(fields(wanted) - fields(there))) or "nothing more"
    return f"the table has {only_there}; the contract has {only_wanted}"


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or repr(error)).splitlines()[0]
