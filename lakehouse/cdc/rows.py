"""Changes of one table, by column, out of the messages that tell of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.cdc.columns import Messages, Numbers, Tuples, chosen, tuples
from lakehouse.cdc.protocol import NEW, TEXT, UPDATE, Relation
from lakehouse.cdc.types import typed


@dataclass(frozen=True)
class Changes:
    """Changes of one table in one shape."""

    relation: Relation
    columns: list[pa.Array]
    unchanged: pa.Array
    """Which columns kept a long value that the server did not send again: `|a|b|`."""
    deleted: Numbers
    lsn: Numbers
    owner: Numbers
    """Which transaction (by count) or part of one (by the server's number) made each."""

    def __len__(self) -> int:
        return len(self.lsn)

    @property
    def size(self) -> int:
        return sum(int(column.nbytes) for column in self.columns) + 25 * len(self)

    def filter(self, which: Numbers) -> Changes:
        """Those of the changes that are marked."""
        mask = pa.array(which)
        return Changes(
            self.relation,
            [column.filter(mask) for column in self.columns],
            self.unchanged.filter(mask),
            self.deleted[which],
            self.lsn[which],
            self.owner[which],
        )

    def slice(self, first: int, last: int) -> Changes:
        """The changes from one to before another."""
        return Changes(
            self.relation,
            [column[first:last] for column in self.columns],
            self.unchanged[first:last],
            self.deleted[first:last],
            self.lsn[first:last],
            self.owner[first:last],
        )


@dataclass(frozen=True)
class Told:
    """Messages of one table in one shape: where each goes on behind the table's number."""

    relation: Relation
    key: tuple[str, ...]
    at: Numbers
    kinds: Numbers
    lsn: Numbers
    owner: Numbers

    def filter(self, which: Numbers) -> Told:
        return Told(
            self.relation,
            self.key,
            self.at[which],
            self.kinds[which],
            self.lsn[which],
            self.owner[which],
        )


def changes(messages: Messages, told: Told) -> Iterator[Changes]:
    """What the messages tell: rows as they are now, and keys of rows that are no more."""
    width = len(told.relation.columns)
    has_old = messages.bytes[told.at] != NEW
    if not has_old.all():
        plain = told.filter(~has_old)
        yield from _upserts(plain, tuples(messages, plain.at + 1, width))
    if not has_old.any():
        return
    told = told.filter(has_old)
    old = tuples(messages, told.at + 1, width)
    is_update = told.kinds == UPDATE
    yield from _deletes(told, old, ~is_update)
    if is_update.any():
        told, old = told.filter(is_update), chosen(old, is_update)
        new = tuples(messages, old.end + 1, width)
        for column in range(width):
            # Under REPLICA IDENTITY FULL the old row has it; a key that long comes as the old one.
            is_known = new.unchanged(column) & (old.kinds[column] == TEXT)
            if is_known.any():
                new.borrow(column, old, is_known)
        yield from _deletes(told, old, _is_moved(told, old, new))
        yield from _upserts(told, new)


def _is_moved(told: Told, old: Tuples, new: Tuples) -> Numbers:
    """Where a row has another key than before."""
    moved = np.zeros(len(told.at), bool)
    for position, column in enumerate(told.relation.columns):
        if column.name in told.key:
            differs = pc.not_equal(old.texts(position), new.texts(position))
            moved |= pc.fill_null(differs, True).to_numpy(zero_copy_only=False)
    return moved


def _upserts(told: Told, rows: Tuples) -> Iterator[Changes]:
    texts = [rows.texts(position) for position in range(len(told.relation.columns))]
    deleted = np.zeros(len(told.at), bool)
    return _typed(told, texts, _unchanged(told.relation, rows), deleted)


def _deletes(told: Told, rows: Tuples, which: Numbers) -> Iterator[Changes]:
    if not which.any():
        return
    told, rows = told.filter(which), chosen(rows, which)
    count = len(told.at)
    texts = [
        rows.texts(position) if column.name in told.key else pa.nulls(count, pa.string())
        for position, column in enumerate(told.relation.columns)
    ]
    yield from _typed(told, texts, pa.nulls(count, pa.string()), np.ones(count, bool))


def _typed(
    told: Told, texts: Sequence[pa.Array], unchanged: pa.Array, deleted: Numbers
) -> Iterator[Changes]:
    found = [
        typed(text, column.type) for text, column in zip(texts, told.relation.columns, strict=True)
    ]
    columns = [values for values, _ in found]
    every = Changes(told.relation, columns, unchanged, deleted, told.lsn, told.owner)
    misfits = {position: mask for position, (_, mask) in enumerate(found) if mask is not None}
    if not misfits:
        yield every
        return
    fits = ~np.any(list(misfits.values()), axis=0)
    if fits.any():
        yield every.filter(fits)
    yield from _as_text(every, texts, misfits)


def _as_text(
    every: Changes, texts: Sequence[pa.Array], misfits: dict[int, Numbers]
) -> Iterator[Changes]:
    """Rows with a value that its type cannot hold, apart from all others, that value as text."""
    for pattern in np.unique(np.array(list(misfits.values())), axis=1).T:
        if not pattern.any():
            continue
        which = np.all(
            [mask == bit for mask, bit in zip(misfits.values(), pattern, strict=True)], 0
        )
        positions = tuple(p for p, bit in zip(misfits, pattern, strict=True) if bit)
        columns = list(every.columns)
        for position in positions:
            columns[position] = texts[position]
        relation = every.relation.with_text(positions)
        yield Changes(
            relation, columns, every.unchanged, every.deleted, every.lsn, every.owner
        ).filter(which)


def _unchanged(relation: Relation, rows: Tuples) -> pa.Array:
    masks = {
        column.name: rows.unchanged(position) for position, column in enumerate(relation.columns)
    }
    masks = {name: masks[name] for name in sorted(masks) if masks[name].any()}
    if not masks:
        return pa.nulls(len(rows.end), pa.string())
    patterns, which = np.unique(np.array(list(masks.values())), axis=1, return_inverse=True)
    names = [
        f"|{'|'.join(name for name, bit in zip(masks, pattern, strict=True) if bit)}|"
        for pattern in patterns.T
    ]
    texts = pa.array([None if name == "||" else name for name in names], pa.string())
    return texts.take(pa.array(which.reshape(-1)))
