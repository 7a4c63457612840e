"""What waits in quarantine, and its way back into bronze once contract or reader are mended.

Order of the commits: rows that are refused anew, then bronze with an id for each file it takes
from, then the entries that release them. Killed before the last, the next replay reads in bronze
which rows its batch brought, and releases just these: a row comes back once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import duckdb
import pyarrow as pa
from deltalake.exceptions import CommitFailedError

from lakehouse.bronze import contract_table, files, quarantine, tables
from lakehouse.bronze.contract import Contract, contracts
from lakehouse.bronze.contract_table import ContractTable
from lakehouse.bronze.files import LINES_AT_A_TIME, Piece, UnreadableError
from lakehouse.bronze.parts import Part, Parts
from lakehouse.bronze.policy import ATTEMPTS
from lakehouse.bronze.quarantine import SCHEMA, Entry, Keeping
from lakehouse.bronze.rows import NeedsEvolutionError, Stamp
from lakehouse.bronze.shape import table_schema
from lakehouse.bronze.tables import BATCHES, ROWS
from lakehouse.bronze.turns import turn
from lakehouse.bronze.waiting import OPEN, Waiting, found
from lakehouse.errors import LakehouseError
from lakehouse.landing import jsonl
from lakehouse.landing.jsonl import Line
from lakehouse.settings import Settings


@dataclass(frozen=True)
class Replayed:
    """What a replay brought back, and what stays."""

    released_rows: int
    released_files: int
    waiting_rows: int
    waiting_files: int
    tables: Mapping[str, int]
    """Rows brought back by table."""


def replay(settings: Settings) -> Replayed:
    """Try again every row and file that waits; what fails again stays as it is."""
    by_name = {contract.name: contract for contract in contracts()}
    quarantine.opened(settings)
    with tables.reading(settings) as connection:
        before = found(settings, connection)
        for name in dict.fromkeys(one.table for one in before):
            if name in by_name:
                _Replay(settings, connection, by_name[name]).run()
        after = found(settings, connection)
    by_table = {
        name: _rows(one for one in before if one.table == name)
        - _rows(one for one in after if one.table == name)
        for name in dict.fromkeys(one.table for one in before)
    }
    return Replayed(
        released_rows=_rows(before) - _rows(after),
        released_files=_files(before) - _files(after),
        waiting_rows=_rows(after),
        waiting_files=_files(after),
        tables={name: rows for name, rows in by_table.items() if rows},
    )


def _rows(entries: Iterable[Waiting]) -> int:
    return sum(one.rows for one in entries)


def _files(entries: Iterable[Waiting]) -> int:
    return sum(one.rows == 0 for one in entries)


@dataclass(frozen=True)
class _File:
    """A file of which something waits: some rows, or all of it."""

    name: str
    sha256: str
    is_whole: bool

    @property
    def replays(self) -> str:
        """The transaction id whose version is the last batch that a replay of it made."""
        return f"{self.sha256}/replay"


class _Replay:
    """The replay of one table."""

    def __init__(
        self, settings: Settings, connection: duckdb.DuckDBPyConnection, contract: Contract
    ) -> None:
        self._settings, self._connection, self._contract = settings, connection, contract
        self._uri = tables.table_uri(settings, contract.source, contract.entity)
        self._loaded_at = datetime.now(UTC)

    def run(self) -> None:
        """Bring back what fits by now; another writer's commit or a wider column begins anew."""
        for _ in range(ATTEMPTS):
            with suppress(CommitFailedError), turn(self._uri):
                return self._once()
        raise LakehouseError(
            f"{self._contract.name} was changed by others {ATTEMPTS} times during its replay",
            hint="nothing is half done; run `lakehouse bronze quarantine replay` again",
        )

    def _once(self) -> None:
        while True:
            table = contract_table.opened(self._settings, self._contract)
            try:
                self._finish_interrupted(table)
                return self._bring_back(table)
            except NeedsEvolutionError as need:
                contract_table.grow(table, need.needed)

    def _bring_back(self, table: ContractTable) -> None:
        batch_id = table.next_batch()
        load_date = {"_load_date": self._loaded_at.date().isoformat()}
        released: dict[_File, list[int | None]] = {}
        brought = 0
        with (
            quarantine.keeping(
                self._settings, self._contract, self._loaded_at, anew="/rows"
            ) as kept,
            table.parts(load_date) as parts,
        ):
            for file in self._files():
                if not table.has(file.sha256):
                    continue  # Its load was killed before bronze had it, and comes first.
                stamp = Stamp(batch_id, file.name, self._loaded_at)
                rows = self._take(table, file, stamp, parts, kept)
                brought += len(rows or ())
                if rows or (file.is_whole and rows is not None):
                    released[file] = [None] if file.is_whole else rows
            if not released:
                return
            actions = parts.finish()
            kept.commit()
            table.commit(
                actions,
                {BATCHES: batch_id, ROWS: table.rows() + brought}
                | {file.replays: batch_id for file in released},
            )
        self._release(released, batch_id)

    def _take(
        self, table: ContractTable, file: _File, stamp: Stamp, parts: Parts, kept: Keeping
    ) -> list[int | None] | None:
        """The numbers of the rows that fit by now; None of a file that is still unreadable."""
        part, refusals = parts.own(), kept.of(file, is_small=False)
        rows: list[int | None] = []
        try:
            for piece in self._pieces(table, file, stamp):
                if piece.rows is not None:
                    fitting = refusals.left(piece.rows) if file.is_whole else piece.rows
                    part.write(fitting)
                    rows += fitting["_source_row"].to_pylist()
                if file.is_whole:
                    refusals.write(piece.refused)
        except UnreadableError:
            parts.forget(part)
            refusals.forget()
            return None
        refusals.done()
        return rows

    def _pieces(self, table: ContractTable, file: _File, stamp: Stamp) -> Iterator[Piece]:
        schema = table_schema(table.shape)
        if file.is_whole:
            content = b"".join(self._column(file, "original", "original_piece"))
            yield from files.pieces_of(table.shape, file.name, content, stamp, schema)
            return
        lines = iter(self._lines(file))
        while some := list(islice(lines, LINES_AT_A_TIME)):
            yield files.lines_judged(table.shape, some, stamp, schema)

    def _lines(self, file: _File) -> Iterator[Line]:
        """The rows of a file that wait, each as the JSON that it came as or was kept as."""
        values = "struct_pack(n := source_row, p := payload, o := original)"
        for row in self._column(file, values, "source_row"):
            original = row["p"].encode() if row["p"] is not None else row["o"]
            try:
                yield Line(row["n"], original, jsonl.record(original.decode("utf8")), None)
            except ValueError as error:
                yield Line(row["n"], original, None, str(error))

    def _column(self, file: _File, value: str, order: str) -> Iterator[Any]:
        query = f"""
            select {value} {OPEN} and source = ? and entity = ? and source_sha256 = ?
            and (source_row is null) = ? order by {order}
        """
        own = [self._contract.source, self._contract.entity, file.sha256, file.is_whole]
        place = quarantine.uri(self._settings)
        with self._connection.cursor() as cursor:
            cursor.execute(query, [place, place, *own])
            while rows := cursor.fetchmany(LINES_AT_A_TIME):
                yield from (row[0] for row in rows)

    def _files(self) -> list[_File]:
        query = f"""
            select source_file, source_sha256, bool_or(source_row is null)
            {OPEN} and source = ? and entity = ? group by all order by all
        """
        place = quarantine.uri(self._settings)
        with tables.reading(self._settings) as connection:
            own = [self._contract.source, self._contract.entity]
            return [
                _File(*row) for row in connection.execute(query, [place, place, *own]).fetchall()
            ]

    def _finish_interrupted(self, table: ContractTable) -> None:
        """Release what a replay brought into bronze before it was killed."""
        for file in self._files():
            batch_id = table.version_of(file.replays)
            if batch_id is None or self._is_released(file, batch_id):
                continue
            rows: list[int | None] = [None]
            if not file.is_whole:
                query = (
                    "select _source_row from delta_scan(?) where _batch_id = ? and _source_file = ?"
                )
                found = self._connection.execute(query, [table.uri, batch_id, file.name])
                rows = [row for (row,) in found.fetchall()]
            self._release({file: rows}, batch_id)

    def _is_released(self, file: _File, batch_id: int) -> bool:
        query = """
            select count(*) from delta_scan(?)
            where source = ? and entity = ? and source_sha256 = ? and released_batch_id = ?
        """
        own = [self._contract.source, self._contract.entity, file.sha256, batch_id]
        found = self._connection.execute(query, [quarantine.uri(self._settings), *own]).fetchone()
        return found is not None and found[0] > 0

    def _release(self, released: Mapping[_File, list[int | None]], batch_id: int) -> None:
        """Say in the quarantine which of its entries a batch of bronze holds now."""
        table = quarantine.opened(self._settings)
        with table.parts({}) as parts:
            part: Part = parts.own()
            for file, rows in released.items():
                common: Entry = {
                    "source": self._contract.source,
                    "entity": self._contract.entity,
                    "reason": "released by a replay",
                    "source_file": file.name,
                    "source_sha256": file.sha256,
                    "_loaded_at": self._loaded_at,
                    "released_batch_id": batch_id,
                }
                for first in range(0, len(rows), LINES_AT_A_TIME):
                    entries = [common | {"source_row": n} for n in rows[first:][:LINES_AT_A_TIME]]
                    part.write(pa.RecordBatch.from_pylist(entries, SCHEMA))
            ids = {f"{self._contract.name}/{file.sha256}/released": batch_id for file in released}
            table.commit(parts.finish(), ids)
