"""Bronze Delta tables: opened or made, asked what they hold, and appended to in one commit.

A commit carries one transaction id a file it holds, so the table itself knows which files it has,
for ever: transaction ids outlive checkpoints and log cleanup, other metadata of a commit do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pyarrow as pa
from deltalake import (
    CommitProperties,
    DeltaTable,
    Transaction,
    WriterProperties,
    write_deltalake,
)
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from lakehouse.errors import LakehouseError, RefusedError
from lakehouse.settings import Settings

BATCHES = "lakehouse.batch"
"""The transaction id whose version is the table's last batch; two writers of one batch collide."""
ROWS_IN_A_GROUP = 122_880
ZSTD = WriterProperties(compression="ZSTD", max_row_group_size=ROWS_IN_A_GROUP)


def table_uri(settings: Settings, source: str, entity: str) -> str:
    """Where the bronze table of an entity lies."""
    return f"{settings.bronze_uri}/{source}/{entity}"


def opened(
    uri: str,
    schema: pa.Schema,
    *,
    description: str,
    partition_by: list[str],
    configuration: Mapping[str, str],
) -> DeltaTable:
    """The table as it is now, made empty if it is not there yet."""
    try:
        table = _opened_or_made(uri, schema, description, partition_by, configuration)
    except (DeltaError, OSError) as error:
        raise LakehouseError(
            f"the table {uri} cannot be opened: {_first_line(error)}",
            hint="mend what is said, then run `lakehouse bronze load` again",
        ) from error
    there = pa.schema(table.schema())
    if not there.equals(schema):
        raise RefusedError(
            f"the table {uri} has other columns than its contract: {_difference(there, schema)}",
            hint="change the contract back; what bronze holds is never rewritten",
        )
    return table


def has(table: DeltaTable, transaction_id: str) -> bool:
    """Whether a commit of this table carried the id."""
    return table.transaction_version(transaction_id) is not None


def next_batch(table: DeltaTable) -> int:
    """One more than the last batch committed."""
    return (table.transaction_version(BATCHES) or 0) + 1


def append(
    table: DeltaTable,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    transactions: Mapping[str, int],
) -> None:
    """Commit rows and transaction ids as one; CommitFailedError when another writer was first."""
    failures: list[BaseException] = []
    reader = pa.RecordBatchReader.from_batches(schema, _watched(batches, failures))
    ids = [Transaction(name, version) for name, version in transactions.items()]
    try:
        write_deltalake(
            table,
            reader,
            mode="append",
            writer_properties=ZSTD,
            commit_properties=CommitProperties(app_transactions=ids),
        )
    except CommitFailedError:
        raise
    except (DeltaError, OSError) as error:
        if failures:
            raise failures[0] from error
        raise LakehouseError(
            f"the table {table.table_uri} cannot be written: {_first_line(error)}",
            hint="nothing was committed; mend what is said and run `lakehouse bronze load` again",
        ) from error


def _opened_or_made(
    uri: str,
    schema: pa.Schema,
    description: str,
    partition_by: list[str],
    configuration: Mapping[str, str],
) -> DeltaTable:
    try:
        return DeltaTable(uri)
    except TableNotFoundError:
        DeltaTable.create(
            uri,
            schema,
            mode="ignore",
            partition_by=partition_by,
            description=description,
            configuration=configuration,
        )
        return DeltaTable(uri)


def _watched(
    batches: Iterable[pa.RecordBatch], failures: list[BaseException]
) -> Iterator[pa.RecordBatch]:
    """Keep the error of a source, of which the Delta writer would leave only the text."""
    try:
        yield from batches
    except BaseException as error:
        failures.append(error)
        raise


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
    return str(error).strip().splitlines()[0]
