"""Conservation: every delivered row is in bronze or in quarantine, and in one of them once.

Counted from both ends: of every landing file that is still there, its own rows against what the
tables hold of it; and of every table, what it holds against what its commits said they brought.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import pyarrow.parquet as pq

from lakehouse import landing
from lakehouse.bronze import files, quarantine, tables
from lakehouse.bronze.contract import Contract, contracts
from lakehouse.bronze.files import UNREADABLE, File
from lakehouse.bronze.policy import ATTEMPTS
from lakehouse.bronze.tables import BATCHES, Table
from lakehouse.errors import LakehouseError
from lakehouse.landing import jsonl
from lakehouse.settings import Settings


@dataclass(frozen=True)
class Conserved:
    """What became of the files of one table."""

    table: str
    files: int
    """Landing files that are still there."""
    waiting_files: int
    """Of these, not loaded yet."""
    bronze_rows: int
    quarantined_rows: int
    quarantined_files: int
    problems: tuple[str, ...]


@dataclass(frozen=True)
class _Kept:
    """What the quarantine holds of one content."""

    refused: int = 0
    released: int = 0
    """Of the refused rows, those that a replay has brought into bronze."""
    whole: int = 0
    """Bytes of the file, when it was kept whole."""
    whole_released: bool = False
    batches: tuple[int, ...] = ()
    """The batches of the replays."""


def check(settings: Settings) -> Iterator[Conserved]:
    """Count every contracted table."""
    landed: dict[str, list[landing.LandedFile]] = defaultdict(list)
    for file in landing.list_files(settings):
        landed[f"{file.source}/{file.entity}"].append(file)
    quarantine.make(settings)
    with tables.reading(settings) as connection:
        for contract in contracts():
            uri = tables.table_uri(settings, contract.source, contract.entity)
            if tables.exists(uri):
                known = [files.identified(settings, one.path) for one in landed[contract.name]]
                yield _Table(connection, contract, *_settled(settings, contract)).check(known)


def _settled(settings: Settings, contract: Contract) -> tuple[Table, Table]:
    """A table and the quarantine as they were at one moment; others may commit to both meanwhile.

    Quarantine is opened after it, for it is first in a load, and before its next change, for it is
    last in a replay.
    """
    uri = tables.table_uri(settings, contract.source, contract.entity)
    for _ in range(ATTEMPTS):
        delta = tables.opened(uri)
        kept_in = quarantine.opened(settings)
        if tables.opened(uri).version() == delta.version():
            return Table(uri, kept_in.layout, delta), kept_in
    raise LakehouseError(
        f"{contract.name} was changed by others {ATTEMPTS} times while it was opened",
        hint="run `lakehouse bronze verify` again, when less is loaded",
    )


class _Table:
    """One table, and what its files have come to."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        contract: Contract,
        table: Table,
        kept_in: Table,
    ) -> None:
        self._connection, self._contract = connection, contract
        self._table, self._kept_in = table, kept_in
        self._kept = self._read_quarantine()
        self._rows = self._read_bronze()
        self._problems: list[str] = []

    def check(self, landed: list[File]) -> Conserved:
        """Compare files, table and quarantine."""
        self._check_table()
        self._check_quarantine()
        waiting = [file for file in landed if not self._table.has(file.sha256)]
        by_content: dict[str, list[File]] = defaultdict(list)
        for file in landed:
            by_content[file.sha256].append(file)
        here = {file.name for file in landed}
        for sha256, same in by_content.items():
            if self._table.has(sha256):
                self._check_file(same, here)
        kept = self._kept.values()
        return Conserved(
            table=self._contract.name,
            files=len(landed),
            waiting_files=len(waiting),
            bronze_rows=sum(self._rows.values()),
            quarantined_rows=sum(one.refused - one.released for one in kept),
            quarantined_files=sum(one.whole > 0 and not one.whole_released for one in kept),
            problems=tuple(self._problems),
        )

    def _check_table(self) -> None:
        """What the table holds against what its transaction ids say of all its commits."""
        rows, said = sum(self._rows.values()), self._table.rows()
        if rows != said:
            self._problems.append(f"bronze holds {rows:,} rows, and its commits brought {said:,}")
        last = self._table.version_of(BATCHES) or 0
        beyond = sorted({batch for batch, _ in self._rows if not 1 <= batch <= last})
        if beyond:
            self._problems.append(f"rows of batches that were never committed: {beyond}")
        twice = self._connection.execute(
            f"""
            select _source_file from {_scan(self._table)} group by _source_file, _batch_id
            having count(*) <> count(distinct _source_row) order by 1 limit 5
            """,
            [self._table.uri],
        ).fetchall()
        self._problems += [f"{name}: a row of it is in bronze twice" for (name,) in twice]

    def _check_quarantine(self) -> None:
        """What the quarantine holds against what its transaction ids say of each file."""
        for sha256, kept in self._kept.items():
            name = f"{self._contract.name}/{sha256}"
            first, anew = (self._kept_in.version_of(one) for one in (name, f"{name}/rows"))
            said = (0 if kept.whole else first or 0) + (anew or 0)
            if kept.refused != said:
                self._problems.append(
                    f"content {sha256[:12]}: quarantine holds {kept.refused:,} rows, and its "
                    f"commits brought {said:,}"
                )

    def _check_file(self, same: list[File], here: set[str]) -> None:
        """The rows of a file against what bronze and quarantine hold of it."""
        file = same[0]
        kept = self._kept.get(file.sha256, _Kept())
        if kept.whole and not kept.whole_released:
            if kept.whole != max(file.size, 1):
                self._problems.append(f"{file.name}: quarantine has not kept the whole of it")
            return
        delivered = _delivered(file)
        if delivered is None:
            self._problems.append(f"{file.name}: it cannot be read any more")
            return
        taken = self._taken(same, kept, here, delivered - (kept.refused - kept.released))
        if taken + kept.refused - kept.released != delivered:
            self._problems.append(
                f"{file.name}: {delivered:,} rows were delivered, {taken:,} are in bronze and "
                f"{kept.refused - kept.released:,} in quarantine"
            )

    def _taken(self, same: list[File], kept: _Kept, here: set[str], expected: int) -> int:
        """The rows of a content in its batches, under a name that it has or had then."""
        first = self._table.version_of(same[0].sha256) or 0
        names = {file.name for file in same}
        batches = {first, *kept.batches}
        own = sum(self._rows[batch, name] for batch in batches for name in names)
        if own or not expected:
            return own
        gone = (
            sum(self._rows[batch, name] for batch in batches)
            for name in sorted({name for batch, name in self._rows if batch == first} - here)
        )
        return next((rows for rows in gone if rows == expected), 0)

    def _read_bronze(self) -> Counter[tuple[int, str]]:
        rows = self._connection.execute(
            f"select _batch_id, _source_file, count(*) from {_scan(self._table)} group by all",
            [self._table.uri],
        ).fetchall()
        return Counter({(batch, name): count for batch, name, count in rows})

    def _read_quarantine(self) -> dict[str, _Kept]:
        rows = self._connection.execute(
            f"""
            select source_sha256,
                count(source_row) filter (released_batch_id is null),
                count(source_row) filter (released_batch_id is not null),
                coalesce(sum(greatest(octet_length(original), 1)) filter (
                    source_row is null and released_batch_id is null
                ), 0),
                coalesce(bool_or(source_row is null and released_batch_id is not null), false),
                coalesce(list(distinct released_batch_id) filter (
                    released_batch_id is not null
                ), [])
            from {_scan(self._kept_in)} where source = ? and entity = ? group by all
            """,
            [self._kept_in.uri, self._contract.source, self._contract.entity],
        ).fetchall()
        return {
            sha256: _Kept(refused, released, int(whole), is_released, tuple(batches))
            for sha256, refused, released, whole, is_released, batches in rows
        }


def _scan(table: Table) -> str:
    """The rows of a table as it was opened."""
    return f"delta_scan(?, version = {table.delta.version()})"


def _delivered(file: File) -> int | None:
    """How many rows a landing file holds; None when nobody can tell."""
    try:
        if file.name.endswith(jsonl.SUFFIXES):
            with jsonl.opened(file.path, packed=file.name.endswith(".gz")) as opened:
                return sum(1 for line in opened if line.strip())
        return int(pq.read_metadata(file.path).num_rows)
    except UNREADABLE:
        return None
