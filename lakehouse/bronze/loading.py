"""Landing files into bronze: one Delta commit a table and load, each file exactly once.

Order of a table's commits: first what is refused goes to quarantine, then what is taken goes to
bronze, and each commit carries ids of its own for the files. Killed between the two, the next
load finds the file unknown to bronze, known to quarantine, and commits only the missing half.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
from deltalake.exceptions import CommitFailedError

from lakehouse import landing
from lakehouse.bronze import files, quarantine, tables
from lakehouse.bronze.contract import Contract, contracts
from lakehouse.bronze.files import Examined, File
from lakehouse.bronze.rows import Stamp, bronze_schema
from lakehouse.bronze.tables import BATCHES, Layout, Table
from lakehouse.errors import LakehouseError
from lakehouse.progress import Advance, progress
from lakehouse.settings import Settings

ATTEMPTS = 5
PRUNED_BY = ("_batch_id", "_cdc_seq", "_cdc_lsn", "_cdc_commit_lsn", "_cdc_committed_at")


@dataclass(frozen=True)
class LoadedTable:
    """What one commit brought to a table."""

    batch_id: int
    files: int
    rows: int
    quarantined_rows: int
    quarantined_files: int
    """Files that could not be read, kept whole."""


@dataclass(frozen=True)
class Loaded:
    """What a load brought: in all, and by table where anything came."""

    files: int
    rows: int
    quarantined_rows: int
    quarantined_files: int
    tables: Mapping[str, LoadedTable]
    waiting_for_a_contract: Mapping[str, int]
    """Landing files by entity that no contract speaks of; they stay where they are."""


def load(settings: Settings) -> Loaded:
    """Take every new landing file of every contracted table."""
    loaded_at = datetime.now(UTC)
    landed: dict[tuple[str, str], list[Path]] = {}
    for file in landing.list_files(settings):
        landed.setdefault((file.source, file.entity), []).append(file.path)
    quarantine.opened(settings)
    done: dict[str, LoadedTable] = {}
    with progress("bronze: rows", None) as advance:
        for contract in contracts():
            paths = landed.pop((contract.source, contract.entity), [])
            table = _load_table(settings, contract, paths, loaded_at, advance)
            if table is not None:
                done[contract.name] = table
    return Loaded(
        files=sum(table.files for table in done.values()),
        rows=sum(table.rows for table in done.values()),
        quarantined_rows=sum(table.quarantined_rows for table in done.values()),
        quarantined_files=sum(table.quarantined_files for table in done.values()),
        tables=done,
        waiting_for_a_contract={"/".join(name): len(paths) for name, paths in landed.items()},
    )


def _load_table(
    settings: Settings,
    contract: Contract,
    paths: list[Path],
    loaded_at: datetime,
    advance: Advance,
) -> LoadedTable | None:
    """Load one table; when another writer was first, look again at what is still new."""
    uri = tables.table_uri(settings, contract.source, contract.entity)
    layout = _layout(contract)
    for attempt in range(1, ATTEMPTS + 1):
        table = tables.opened(uri, layout)
        new = _new(settings, table, paths)
        if not new:
            return None
        try:
            return _commit(settings, contract, table, new, loaded_at, advance)
        except CommitFailedError as error:
            if attempt == ATTEMPTS:
                raise LakehouseError(
                    f"the table {uri} was changed by others {ATTEMPTS} times while it was loaded",
                    hint="nothing is half done; run `lakehouse bronze load` again",
                ) from error
    raise AssertionError("the last attempt returns or raises")


def _layout(contract: Contract) -> Layout:
    schema = bronze_schema(contract)
    return Layout(
        schema=schema,
        description=f"{contract.description} {contract.grain}",
        partition_by=("_load_date",),
        bounded=[name for name in (*contract.key, *PRUNED_BY) if name in schema.names],
        configuration={"delta.appendOnly": "true"},
    )


def _new(settings: Settings, table: Table, paths: list[Path]) -> list[File]:
    """The files whose content the table does not hold, each content once."""
    by_content: dict[str, File] = {}
    for path in paths:
        file = files.identified(settings, path)
        if not table.has(file.sha256):
            by_content[file.sha256] = file
    return list(by_content.values())


def _commit(
    settings: Settings,
    contract: Contract,
    table: Table,
    new: list[File],
    loaded_at: datetime,
    advance: Advance,
) -> LoadedTable:
    """Quarantine, then bronze, each in one commit."""
    batch_id = table.next_batch()
    examined = [files.examine(contract, file) for file in new]
    quarantine.keep(settings, contract, examined, loaded_at)
    table.append(
        _rows(contract, examined, batch_id, loaded_at, advance),
        {BATCHES: batch_id} | {file.sha256: batch_id for file in new},
        partition={"_load_date": loaded_at.date().isoformat()},
    )
    return LoadedTable(
        batch_id=batch_id,
        files=len(new),
        rows=sum(one.accepted for one in examined),
        quarantined_rows=sum(one.refused for one in examined),
        quarantined_files=sum(one.unreadable is not None for one in examined),
    )


def _rows(
    contract: Contract,
    examined: list[Examined],
    batch_id: int,
    loaded_at: datetime,
    advance: Advance,
) -> Iterator[pa.RecordBatch]:
    for one in examined:
        stamp = Stamp(batch_id, one.file.name, loaded_at)
        for batch in files.accepted(contract, one, stamp):
            yield batch
            advance(batch.num_rows)
