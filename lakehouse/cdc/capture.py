"""Decoded changes, collected by column until whole transactions of them are landed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse import landing
from lakehouse.cdc.protocol import Relation, Values
from lakehouse.cdc.state import TO_START_ANEW
from lakehouse.cdc.types import from_text
from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings

SOURCE = "erp"
_CHUNK_ROWS = 50_000
_CHUNK_BYTES = 16 << 20
_FULL_ROWS = 250_000
_FULL_BYTES = 128 << 20


@dataclass(frozen=True)
class Commit:
    """What all changes of one transaction share."""

    lsn: int
    at: datetime


@dataclass(frozen=True)
class Boundary:
    """Where a table starts anew: a snapshot, or a TRUNCATE, whose keys nobody knows."""

    entity: str
    phase: int
    lsn: int
    kind: str
    row_count: int | None


@dataclass
class _Rows:
    """Changes of one relation: finished chunks in Arrow, the latest ones as they came."""

    chunks: list[pa.Table] = field(default_factory=list)
    values: list[Values] = field(default_factory=list)
    technical: list[tuple[int, str, str | None]] = field(default_factory=list)
    size: int = 0
    count: int = 0
    commits: list[tuple[Commit, int]] = field(default_factory=list)
    committed: int = 0


class Capture:
    """What has been decoded and is not landed yet; `land` writes whole transactions only."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clear()

    def _clear(self) -> None:
        self._rows: dict[Relation, _Rows] = {}
        self._truncated: list[tuple[str, int]] = []
        self._boundaries: list[tuple[Boundary, Commit]] = []
        self._size = 0

    @property
    def is_full(self) -> bool:
        rows = sum(rows.count for rows in self._rows.values())
        return rows >= _FULL_ROWS or self._size >= _FULL_BYTES

    def upsert(
        self, relation: Relation, lsn: int, values: Values, unchanged: tuple[int, ...], size: int
    ) -> None:
        """A row as it is now, but for the columns that the ERP did not send again (TOAST)."""
        names = None
        if unchanged:
            columns = sorted(relation.columns[position].name for position in unchanged)
            names = f"|{'|'.join(columns)}|"
        self._add(relation, values, (lsn, "upsert", names), size)

    def delete(self, relation: Relation, lsn: int, key: Values) -> None:
        """The key of a row that is no more; everything else is null."""
        self._add(relation, key, (lsn, "delete", None), 0)

    def truncate(self, relation: Relation, lsn: int) -> None:
        """A table whose rows are no more, whatever they were."""
        self._truncated.append((relation.name, lsn))

    def _add(
        self, relation: Relation, values: Values, technical: tuple[int, str, str | None], size: int
    ) -> None:
        rows = self._rows.get(relation)
        if rows is None:
            rows = self._rows[relation] = _Rows()
        rows.values.append(values)
        rows.technical.append(technical)
        rows.count += 1
        rows.size += size
        self._size += size
        if len(rows.values) >= _CHUNK_ROWS or rows.size >= _CHUNK_BYTES:
            self._pack(relation, rows)

    def commit(self, commit: Commit) -> int:
        """End a transaction; says how many changes it made."""
        changes = len(self._truncated)
        for entity, lsn in self._truncated:
            boundary = Boundary(entity, landing.STREAM, lsn, "truncate", None)
            self._boundaries.append((boundary, commit))
        self._truncated.clear()
        for rows in self._rows.values():
            if rows.count > rows.committed:
                changes += rows.count - rows.committed
                rows.commits.append((commit, rows.count - rows.committed))
                rows.committed = rows.count
        return changes

    def land(self, delivery: landing.Delivery) -> None:
        """Write every whole transaction, a file a relation, boundaries last."""
        for relation, rows in self._rows.items():
            if rows.committed:
                self._pack(relation, rows)
                table = _table(relation, rows, delivery)
                landing.write_file(self._settings, SOURCE, relation.name, table)
        land_boundaries(self._settings, self._boundaries, delivery)
        self._clear()

    def _pack(self, relation: Relation, rows: _Rows) -> None:
        """Turn the values that came into a chunk, which is a fraction of their size."""
        if not rows.values:
            return
        columns = [
            self._column(relation, position, texts)
            for position, texts in enumerate(zip(*rows.values, strict=True))
        ]
        lsn, op, unchanged = zip(*rows.technical, strict=True)
        columns += [pa.array(lsn, pa.int64()), pa.array(op), pa.array(unchanged, pa.string())]
        rows.chunks.append(pa.table(columns, [str(i) for i in range(len(columns))]))
        rows.values, rows.technical, rows.size = [], [], 0

    def _column(
        self, relation: Relation, position: int, texts: tuple[bytes | None, ...]
    ) -> pa.Array:
        column = relation.columns[position]
        try:
            return from_text(pa.array(texts, pa.binary()).cast(pa.string()), column.type)
        except pa.ArrowInvalid as error:
            raise LakehouseError(
                f"{relation.name}.{column.name} got a value that is no {column.type}: {error}",
                hint=f"correct it in the ERP; {TO_START_ANEW}",
            ) from error


def _table(relation: Relation, rows: _Rows, delivery: landing.Delivery) -> pa.Table:
    # What lies behind the last commit belongs to a transaction whose end was never seen.
    chunks = pa.concat_tables(rows.chunks).slice(0, rows.committed)
    *columns, lsn, op, unchanged = chunks.columns
    commit_of_row = pa.array(
        np.repeat(np.arange(len(rows.commits)), [count for _, count in rows.commits])
    )
    at = pa.array([landing.iso_ms(commit.at) for commit, _ in rows.commits]).take(commit_of_row)
    commit_lsn = pa.array([commit.lsn for commit, _ in rows.commits]).take(commit_of_row)
    deleted_at = pc.if_else(pc.equal(op, "delete"), at, pa.scalar(None, pa.string()))
    technical = [lsn, at, deleted_at, commit_lsn, op, unchanged]
    return delivery.table(
        landing.change_schema(relation.columns), [*columns, *technical], rows.committed
    )


def land_boundaries(
    settings: Settings,
    boundaries: Iterable[tuple[Boundary, Commit]],
    delivery: landing.Delivery,
) -> None:
    """Announce snapshots and truncations, after the rows they go with."""
    rows = [
        {
            "source": SOURCE,
            "entity": boundary.entity,
            "seq": landing.seq(delivery.generation, boundary.phase, boundary.lsn),
            "kind": boundary.kind,
            "committed_at": landing.to_ms(commit.at),
            "commit_lsn": commit.lsn,
            "row_count": boundary.row_count,
        }
        for boundary, commit in boundaries
    ]
    if not rows:
        return
    columns = pa.Table.from_pylist(rows, pa.schema(landing.BOUNDARY_COLUMNS)).columns
    table = delivery.table(landing.boundary_schema(), columns, len(rows))
    landing.write_file(settings, *landing.BOUNDARIES, table)
