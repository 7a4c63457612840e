"""Where a delivered row stands in the change log of its source, by column."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.bronze.types import UTC_TIME

OPERATIONS = ("snapshot", "upsert", "delete")
MOST_GENERATIONS = 10**6
EXACT_IN_DOUBLE = 2**53
SEQ_WIDTH = 6 + 1 + 19
FOUR_DIGITS = np.frombuffer(b"".join(b"%04d" % n for n in range(10_000)), np.uint32)

LANDED: dict[str, tuple[pa.DataType, ...]] = {
    "_airbyte_extracted_at": (UTC_TIME, pa.timestamp("ms", "UTC")),
}
LANDED_CHANGES: dict[str, tuple[pa.DataType, ...]] = LANDED | {
    "_airbyte_generation_id": (pa.int64(),),
    "_ab_cdc_lsn": (pa.int64(), pa.float64()),
    "_ab_cdc_updated_at": (pa.string(),),
    "_ab_cdc_deleted_at": (pa.string(),),
}
# Only the embedded reader knows these; Airbyte delivers without them.
LANDED_OPTIONAL: dict[str, tuple[pa.DataType, ...]] = {
    "_cdc_commit_lsn": (pa.int64(),),
    "_cdc_op": (pa.string(),),
    "_cdc_unchanged": (pa.string(),),
}


class Position:
    """A batch's position in the change log, computed once, with null where it cannot be."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        def optional(name: str) -> pa.Array:
            if name in batch.schema.names:
                return batch[name]
            return pa.nulls(batch.num_rows, LANDED_OPTIONAL[name][0])

        self.generation = batch["_airbyte_generation_id"]
        self.lsn = _whole(batch["_ab_cdc_lsn"])
        self.committed_at = _times(batch["_ab_cdc_updated_at"])
        self.commit_lsn = optional("_cdc_commit_lsn")
        self.unchanged = optional("_cdc_unchanged")
        self.is_foreign = "_cdc_op" not in batch.schema.names
        """Not of the embedded reader, which marks in columns what Airbyte marks in values."""
        if self.is_foreign:
            lives = pc.is_null(batch["_ab_cdc_deleted_at"])
            self.op = pc.if_else(lives, "upsert", "delete")
        else:
            self.op = batch["_cdc_op"]

    def faults(self) -> Iterator[tuple[pa.Array, str]]:
        """Where a row has no place in the change log, and why."""
        known = pc.is_in(self.op, value_set=pa.array(OPERATIONS))
        yield pc.invert(known), f"_cdc_op is none of {', '.join(OPERATIONS)}"
        yield _outside(self.generation, MOST_GENERATIONS), "_airbyte_generation_id is no generation"
        yield _outside(self.lsn, None), "_ab_cdc_lsn is not an exact LSN"
        yield pc.is_null(self.committed_at), "_ab_cdc_updated_at is not a time with a zone"

    def columns(self, unchanged: pa.Array) -> list[pa.Array]:
        """The arrays of bronze's own columns of a change."""
        seq = _seq(self.generation, pc.equal(self.op, "snapshot"), self.lsn)
        return [seq, self.op, self.lsn, self.commit_lsn, self.committed_at, unchanged]


def _seq(generations: pa.Array, is_snapshot: pa.Array, lsns: pa.Array) -> pa.Array:
    """Positions as fixed-width text, four digits at a time; of a refused row, some text."""
    rows = len(lsns)
    groups = np.empty((rows, 7), np.uint32)
    generation = _numbers(generations)
    groups[:, 0] = FOUR_DIGITS[generation // 10_000 % 10_000]
    groups[:, 1] = FOUR_DIGITS[generation % 10_000]
    left = _numbers(lsns)
    for place in (6, 5, 4, 3):
        rest = left // 10_000
        groups[:, place] = FOUR_DIGITS[left - rest * 10_000]
        left = rest
    streamed = pc.fill_null(pc.invert(is_snapshot), False).to_numpy(zero_copy_only=False)
    groups[:, 2] = FOUR_DIGITS[left + 1_000 * streamed]
    text = groups.view(np.uint8)[:, -SEQ_WIDTH:].tobytes()
    offsets = np.arange(rows + 1, dtype=np.int32) * SEQ_WIDTH
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(text))


def _numbers(values: pa.Array) -> np.ndarray:
    """Numbers without null and negative ones: their rows are refused."""
    given = pc.fill_null(values, 0).to_numpy(zero_copy_only=False)
    numbers: np.ndarray = np.maximum(given, 0)
    return numbers


def _outside(numbers: pa.Array, end: int | None) -> pa.Array:
    """Where a number is null, negative, or too great."""
    outside = pc.or_(pc.is_null(numbers), pc.fill_null(pc.less(numbers, 0), False))
    if end is None:
        return outside
    return pc.or_(outside, pc.fill_null(pc.greater_equal(numbers, end), False))


def _whole(numbers: pa.Array) -> pa.Array:
    """Integers out of doubles, null where a double cannot hold them exactly."""
    if not pa.types.is_floating(numbers.type):
        return numbers
    exact = pc.and_(
        pc.equal(pc.floor(numbers), numbers), pc.less(pc.abs(numbers), float(EXACT_IN_DOUBLE))
    )
    return pc.cast(pc.if_else(exact, numbers, pa.scalar(None, pa.float64())), pa.int64())


def _times(texts: pa.Array) -> pa.Array:
    """Instants out of ISO-8601 texts, null where a text is none."""
    try:
        return pc.cast(texts, UTC_TIME)
    except pa.ArrowInvalid:
        coded = texts.dictionary_encode()
        times = pa.array([_time(text) for text in coded.dictionary], UTC_TIME)
        return pc.take(times, coded.indices)


def _time(text: pa.Scalar) -> pa.Scalar:
    try:
        return pc.cast(text, UTC_TIME)
    except pa.ArrowInvalid:
        return pa.scalar(None, UTC_TIME)
