"""Landing files into bronze: one Delta commit a table and load, each file exactly once.

Order of a table's commits: first what is refused goes to quarantine, then what is taken goes to
bronze, and each commit carries ids of its own for the files. Killed between the two, the next
load finds the file unknown to bronze, known to quarantine, and commits only the missing half. Of
what is kept by then nothing is taken, even if it would fit by now: that is for a replay, which in
turn leaves a file alone that bronze does not know yet.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
from deltalake.exceptions import CommitFailedError

from lakehouse import landing
from lakehouse.bronze import contract_table, files, quarantine, tables
from lakehouse.bronze.contract import Contract, contracts
from lakehouse.bronze.contract_table import ContractTable
from lakehouse.bronze.files import File, Piece, UnreadableError
from lakehouse.bronze.parts import Parts
from lakehouse.bronze.policy import ATTEMPTS
from lakehouse.bronze.quarantine import Keeping
from lakehouse.bronze.rows import NeedsEvolutionError, Stamp
from lakehouse.bronze.seen_files import SeenFiles
from lakehouse.bronze.shape import Shape, table_schema
from lakehouse.bronze.tables import BATCHES, ROWS
from lakehouse.bronze.turns import turn
from lakehouse.errors import LakehouseError
from lakehouse.progress import Advance, progress
from lakehouse.settings import Settings

log = logging.getLogger("lakehouse.bronze")

SMALL_BYTES = 4 << 20
"""A file up to this size is held whole before any of it is written."""


@dataclass(frozen=True)
class LoadedTable:
    """What one commit brought to a table."""

    batch_id: int
    files: int
    rows: int
    quarantined_rows: int
    quarantined_files: int
    """Files that could not be read, kept whole."""
    evolved: tuple[str, ...] = ()
    """Columns that came, or became wider, with this load: name and type."""


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


@dataclass(frozen=True)
class _Taken:
    """What became of the rows of some files."""

    rows: int = 0
    refused: int = 0
    unreadable: int = 0

    def __add__(self, other: _Taken) -> _Taken:
        return _Taken(
            self.rows + other.rows,
            self.refused + other.refused,
            self.unreadable + other.unreadable,
        )


def load(settings: Settings, *, entities: Collection[str] | None = None) -> Loaded:
    """Take every new landing file of every contracted table, or only of these (`source/entity`)."""
    loaded_at = datetime.now(UTC)
    landed: dict[str, list[Path]] = {}
    for file in landing.list_files(settings):
        landed.setdefault(f"{file.source}/{file.entity}", []).append(file.path)
    if entities is not None:
        landed = {name: paths for name, paths in landed.items() if name in entities}
    quarantine.make(settings)
    done: dict[str, LoadedTable] = {}
    with progress("bronze: rows", None) as advance:
        for contract in contracts():
            paths = landed.pop(contract.name, [])
            if entities is not None and contract.name not in entities:
                continue
            table = _load_table(settings, contract, paths, loaded_at, advance)
            if table is not None:
                log.info("%s: %d files, %d rows", contract.name, table.files, table.rows)
                done[contract.name] = table
    return Loaded(
        files=sum(table.files for table in done.values()),
        rows=sum(table.rows for table in done.values()),
        quarantined_rows=sum(table.quarantined_rows for table in done.values()),
        quarantined_files=sum(table.quarantined_files for table in done.values()),
        tables=done,
        waiting_for_a_contract={name: len(paths) for name, paths in landed.items()},
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
    evolved: list[str] = []
    for _ in range(ATTEMPTS):
        seen = SeenFiles(Path(uri))
        unseen = [path for path in paths if path not in seen]
        if not unseen and contract_table.was_checked(uri, contract):
            return None
        found = [files.identified(settings, path) for path in unseen]
        try:
            with turn(uri):
                table, loaded = _take_new(settings, contract, found, loaded_at, advance, evolved)
        except CommitFailedError:
            continue
        table.delta.update_incremental()
        seen.add(table.delta.version(), found)
        return loaded
    raise LakehouseError(
        f"the table {uri} was changed by others {ATTEMPTS} times while it was loaded",
        hint="nothing is half done; run `lakehouse bronze load` again",
    )


def _take_new(
    settings: Settings,
    contract: Contract,
    found: list[File],
    loaded_at: datetime,
    advance: Advance,
    evolved: list[str],
) -> tuple[ContractTable, LoadedTable | None]:
    """Take the files whose content the table does not hold, each content once."""
    while True:
        table = contract_table.opened(settings, contract)
        new = {file.sha256: file for file in found if not table.has(file.sha256)}
        if not new:
            return table, None
        try:
            taken, batch_id = _commit(settings, table, list(new.values()), loaded_at, advance)
        except NeedsEvolutionError as need:
            # It grows before anything of the load is committed; then all of it is read anew.
            evolved += contract_table.grow(table, need.needed)
        else:
            return table, _told(batch_id, len(new), taken, evolved)


def _told(batch_id: int, count: int, taken: _Taken, evolved: Iterable[str]) -> LoadedTable:
    return LoadedTable(
        batch_id=batch_id,
        files=count,
        rows=taken.rows,
        quarantined_rows=taken.refused,
        quarantined_files=taken.unreadable,
        evolved=tuple(evolved),
    )


def _commit(
    settings: Settings,
    table: ContractTable,
    new: list[File],
    loaded_at: datetime,
    advance: Advance,
) -> tuple[_Taken, int]:
    """Quarantine, then bronze, each in one commit."""
    batch_id = table.next_batch()
    load_date = {"_load_date": loaded_at.date().isoformat()}
    with (
        quarantine.keeping(settings, table.contract, loaded_at) as kept,
        table.parts(load_date) as parts,
    ):
        taken = _Taken()
        schema = table_schema(table.shape)
        for file in new:
            stamp = Stamp(batch_id, file.name, loaded_at)
            of_file = _take(table.shape, file, stamp, schema, parts, kept)
            taken += of_file
            advance(of_file.rows)
        actions = parts.finish()
        kept.commit()
        table.commit(
            actions,
            {BATCHES: batch_id, ROWS: table.rows() + taken.rows}
            | {file.sha256: batch_id for file in new},
        )
    return taken, batch_id


def _take(
    shape: Shape, file: File, stamp: Stamp, schema: pa.Schema, parts: Parts, kept: Keeping
) -> _Taken:
    """Write a file's rows to parts, and what is refused of it to the quarantine.

    Where a file turns out to be unreadable in its middle, nothing of it may stay in a part.
    """
    read = files.pieces(shape, file, stamp, schema)
    is_small = file.size <= SMALL_BYTES
    refusals = kept.of(file, is_small=is_small)
    if refusals.is_whole:
        return _Taken(unreadable=1)
    part = parts.shared() if is_small else parts.own()
    rows = 0
    try:
        held = _held(read) if is_small else _ahead(read)
        for piece in held:
            if piece.rows is not None:
                fitting = refusals.left(piece.rows)
                part.write(fitting)
                rows += fitting.num_rows
            refusals.write(piece.refused)
    except UnreadableError as error:
        if not is_small:
            parts.forget(part)
        refusals.forget()
        kept.whole(file, str(error))
        return _Taken(unreadable=1)
    return _Taken(rows, refusals.done())


def _held(read: Iterator[Piece]) -> list[Piece]:
    """Everything of a small file, so that it is readable to its end before it is written."""
    return [Piece(piece.rows, list(piece.refused)) for piece in read]


def _ahead(read: Iterator[Piece]) -> Iterator[Piece]:
    """The same pieces, each of them read while the one before it is written."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, read, None)
        while (piece := coming.result()) is not None:
            coming = reader.submit(next, read, None)
            yield piece
