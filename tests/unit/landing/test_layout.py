"""The columns that every reader of landing relies on."""

from __future__ import annotations

import uuid

import pyarrow as pa
import pytest

from lakehouse import landing


def test_a_change_has_airbytes_columns_then_its_own_then_those_of_cdc() -> None:
    own = pa.field("price", pa.decimal128(12, 2))
    schema = landing.change_schema([own])
    assert [f"{field.name}: {field.type}" for field in schema] == [
        "_airbyte_raw_id: string",
        "_airbyte_extracted_at: timestamp[us, tz=UTC]",
        "_airbyte_generation_id: int64",
        "_airbyte_meta: struct<sync_id: int64, changes: list<item: struct<field: string, "
        "change: string, reason: string>>>",
        "price: decimal128(12, 2)",
        "_ab_cdc_lsn: int64",
        "_ab_cdc_updated_at: string",
        "_ab_cdc_deleted_at: string",
        "_cdc_commit_lsn: int64",
        "_cdc_op: string",
        "_cdc_unchanged: string",
    ]


def test_raw_ids_are_uuids_that_no_other_row_has() -> None:
    schema = landing.boundary_schema()
    columns = [pa.nulls(1000, field.type) for field in list(schema)[4:]]
    ids = landing.Delivery(1, 1).table(schema, columns, 1000)["_airbyte_raw_id"].to_pylist()
    ids += landing.Delivery(1, 1).table(schema, columns, 1000)["_airbyte_raw_id"].to_pylist()
    parsed = [uuid.UUID(text) for text in ids]
    assert len(set(parsed)) == 2000
    assert {(p.version, p.variant) for p in parsed} == {(7, uuid.RFC_4122)}
    assert [str(p) for p in parsed] == ids


def test_seq_sorts_as_text_by_generation_then_phase_then_position() -> None:
    in_order = [
        landing.seq(2, landing.SNAPSHOT, 9_000),
        landing.seq(2, landing.STREAM, 500),
        landing.seq(2, landing.STREAM, 2**63 - 1),
        landing.seq(10, landing.SNAPSHOT, 1),
    ]
    assert sorted(in_order) == in_order
    assert {len(position) for position in in_order} == {26}


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (1_727_830_800_999_999, "2024-10-02T01:00:00.999Z"),
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_a_moment_is_cut_to_the_millisecond(microseconds: int, text: str) -> None:
    assert landing.iso_us(microseconds) == text
