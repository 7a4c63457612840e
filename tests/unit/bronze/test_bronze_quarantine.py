"""What bronze cannot take is kept with its reason, and nothing delivered is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from lakehouse import bronze
from lakehouse.settings import Settings
from tests.unit.bronze.landed import (
    MORNING,
    MOVEMENTS,
    UTC_TIME,
    Row,
    in_bronze,
    in_quarantine,
    movement,
    put,
    table,
)

Change = Callable[[pa.Schema], pa.Schema]


def _retyped(name: str, kind: pa.DataType) -> Change:
    return lambda schema: schema.set(schema.get_field_index(name), pa.field(name, kind))


def _dropped(name: str) -> Change:
    return lambda schema: schema.remove(schema.get_field_index(name))


MISFITS: dict[str, tuple[Change, str]] = {
    "key column missing": (
        _dropped("stock_movement_id"),
        "column stock_movement_id is missing",
    ),
    "column missing": (_dropped("note"), "column note is missing"),
    "no position": (_dropped("_ab_cdc_lsn"), "column _ab_cdc_lsn is missing"),
    "column twice": (
        lambda schema: schema.append(pa.field("note", pa.string())),
        "column note is there more than once",
    ),
    "integer for decimal": (
        _retyped("quantity", pa.int64()),
        "column quantity is int64, and the contract says decimal128(14, 3) or double",
    ),
    "other scale": (
        _retyped("quantity", pa.decimal128(14, 4)),
        "column quantity is decimal128(14, 4), and the contract says decimal128(14, 3) or double",
    ),
    "local time": (
        _retyped("moved_at", pa.timestamp("us")),
        "column moved_at is timestamp[us], and the contract says "
        "timestamp[us, tz=UTC] or timestamp[ms, tz=UTC]",
    ),
    "nanoseconds": (
        _retyped("moved_at", pa.timestamp("ns", "UTC")),
        "column moved_at is timestamp[ns, tz=UTC], and the contract says "
        "timestamp[us, tz=UTC] or timestamp[ms, tz=UTC]",
    ),
    "narrower integer": (
        _retyped("stock_movement_id", pa.int32()),
        "column stock_movement_id is int32, and the contract says int64",
    ),
}


def test_a_file_with_other_columns_is_kept_row_by_row(lake: Settings) -> None:
    for number, (name, (change, _)) in enumerate(MISFITS.items()):
        rows = [movement(10 * number + n, quantity=-2, lot="L7") for n in (1, 2)]
        put(lake, _table(rows, change(MOVEMENTS)), name)
    put(lake, table([movement(999)]), "good")

    loaded = bronze.load(lake)

    assert (loaded.files, loaded.rows) == (len(MISFITS) + 1, 1)
    assert loaded.quarantined_rows == 2 * len(MISFITS)
    assert [row["stock_movement_id"] for row in in_bronze(lake)] == [999]
    expected = {(name, n): reason for name, (_, reason) in MISFITS.items() for n in (1, 2)}
    assert _reasons(lake) == expected
    assert bronze.load(lake).files == 0
    assert _reasons(lake) == expected


BAD_ROWS: dict[str, tuple[Row, str]] = {
    "null key": (
        {"stock_movement_id": None, "_cdc_op": "delete"},
        "stock_movement_id is null, and it is part of the key",
    ),
    "null": ({"quantity": None}, "quantity is null, and may not be"),
    "NUL": ({"note": "a\0b"}, "note holds a NUL character"),
    "operation": (
        {"_cdc_op": "merge"},
        "_cdc_op is none of snapshot, upsert, delete",
    ),
    "no operation": (
        {"_cdc_op": None},
        "_cdc_op is none of snapshot, upsert, delete",
    ),
    "no lsn": ({"_ab_cdc_lsn": None}, "_ab_cdc_lsn is not an exact LSN"),
    "fraction of an lsn": ({"_ab_cdc_lsn": 7.5}, "_ab_cdc_lsn is not an exact LSN"),
    "lsn beyond a double": (
        {"_ab_cdc_lsn": 2.0**53},
        "_ab_cdc_lsn is not an exact LSN",
    ),
    "negative lsn": ({"_ab_cdc_lsn": -1}, "_ab_cdc_lsn is not an exact LSN"),
    "generation": (
        {"_airbyte_generation_id": 10**6},
        "_airbyte_generation_id is no generation",
    ),
    "no zone": (
        {"_ab_cdc_updated_at": "2024-10-01T11:30:00.123"},
        "_ab_cdc_updated_at is not a time with a zone",
    ),
    "month 13": (
        {"_ab_cdc_updated_at": "2024-13-01T11:30:00.123Z"},
        "_ab_cdc_updated_at is not a time with a zone",
    ),
    "not extracted": ({"_airbyte_extracted_at": None}, "_airbyte_extracted_at is null"),
}


def test_a_bad_row_goes_and_its_neighbours_stay(lake: Settings) -> None:
    for number, (name, (values, _)) in enumerate(BAD_ROWS.items()):
        schema = MOVEMENTS
        if isinstance(values.get("_ab_cdc_lsn"), float):
            schema = _retyped("_ab_cdc_lsn", pa.float64())(schema)
        first = 10 * number
        rows = [movement(first), movement(first + 1, **values), movement(first + 2)]
        put(lake, table(rows, schema), name)

    loaded = bronze.load(lake)

    assert (loaded.rows, loaded.quarantined_rows) == (2 * len(BAD_ROWS), len(BAD_ROWS))
    assert _reasons(lake) == {(name, 2): reason for name, (_, reason) in BAD_ROWS.items()}
    assert {row["_source_row"] for row in in_bronze(lake)} == {1, 3}
    assert {(row["source"], row["entity"]) for row in in_quarantine(lake)} == {
        ("erp", "stock_movements")
    }


@pytest.mark.parametrize(
    ("microseconds", "is_taken"),
    [
        (-62_135_596_800_000_000, True),
        (-62_135_596_800_000_001, False),
        (253_402_300_799_999_999, True),
        (253_402_300_800_000_000, False),
        (2**63 - 1, False),
    ],
)
def test_moments_are_taken_within_the_years_1_to_9999(
    lake: Settings, microseconds: int, is_taken: bool
) -> None:
    content = table([movement(1), movement(2)])
    moments = pa.array([microseconds, 0]).view(UTC_TIME)
    place = content.schema.get_field_index("moved_at")
    put(lake, content.set_column(place, "moved_at", moments), "a")

    bronze.load(lake)

    assert len(in_quarantine(lake)) == (not is_taken)
    rows = DeltaTable(bronze.table_uri(lake, "erp", "stock_movements")).to_pyarrow_table()
    kept = rows["moved_at"].combine_chunks().view(pa.int64()).to_pylist()
    assert sorted(kept) == sorted([microseconds, 0] if is_taken else [0])
    if not is_taken:
        assert _reasons(lake) == {("a", 1): "moved_at is outside the years 0001 to 9999"}


def test_a_refused_row_keeps_every_value_exactly(lake: Settings) -> None:
    schema = _retyped("moved_at", pa.timestamp("ns", "UTC"))(MOVEMENTS)
    schema = schema.append(pa.field("weight", pa.float64())).append(pa.field("seal", pa.binary()))
    row = movement(
        2**53 + 1,
        quantity=Decimal("-99999999999.001"),
        moved_at=pa.scalar(1727782200123456789, pa.timestamp("ns", "UTC")),
        note='Ação "3/4"\n',
        weight=float("nan"),
        seal=b"\xff\x00",
    )
    put(
        lake,
        pa.table(
            [pa.array([row[name]], schema.field(name).type) for name in schema.names], schema=schema
        ),
        "a",
    )

    bronze.load(lake)

    payload = json.loads(in_quarantine(lake)[0]["payload"], parse_constant=pytest.fail)
    assert list(payload) == schema.names
    assert payload["stock_movement_id"] == 2**53 + 1
    assert payload["quantity"] == "-99999999999.001"
    assert payload["moved_at"] == "2024-10-01 11:30:00.123456789Z"
    assert datetime.fromisoformat(payload["created_at"]) == MORNING
    assert payload["note"] == 'Ação "3/4"\n'
    assert payload["_airbyte_meta"] == {"sync_id": 7, "changes": []}
    assert (payload["weight"], payload["seal"]) == ("nan", "/wA=")


def test_a_column_that_is_there_twice_keeps_both_values(lake: Settings) -> None:
    content = table([movement(1, note="first")])
    put(lake, content.append_column("note", pa.array(["second"])), "a")
    bronze.load(lake)
    payload = json.loads(in_quarantine(lake)[0]["payload"])
    assert (payload["note"], payload["note#2"]) == ("first", "second")


def test_unreadable_files_are_kept_whole_once_an_entity(lake: Settings) -> None:
    good = put(lake, table([movement(n) for n in range(50)]), "good").read_bytes()
    contents = {
        "empty": b"",
        "truncated": good[: len(good) // 2],
        "foreign": b"item_id;note\n010825;x\n",
        "holed": good[:40] + bytes(200) + good[240:],
    }
    for name, content in contents.items():
        put(lake, content, name)
        put(lake, content, name, "erp/items")

    loaded = bronze.load(lake)

    assert (loaded.files, loaded.rows, loaded.quarantined_files) == (9, 50, 8)
    kept = {
        row["source_file"]: row["original"]
        for row in in_quarantine(lake)
        if row["reason"].startswith("unreadable: ") and row["payload"] is None
    }
    assert kept == {
        f"erp/{entity}/{name}.parquet": content
        for entity in ("items", "stock_movements")
        for name, content in contents.items()
    }
    bronze.load(lake)
    assert len(in_quarantine(lake)) == 8


def test_text_that_is_no_text_makes_a_file_unreadable(lake: Settings) -> None:
    broken = table([movement(1)])
    note = pa.array([b"caf\xe9"], pa.binary()).view(pa.string())
    broken = broken.set_column(broken.schema.get_field_index("note"), "note", note)
    put(lake, broken, "latin1")
    assert bronze.load(lake).quarantined_files == 1
    assert in_bronze(lake) == []


def _table(rows: list[Row], schema: pa.Schema) -> pa.Table:
    """A table by position, because a name may be there twice."""
    without_zone = {pa.timestamp("us"): UTC_TIME}
    columns = [
        pa.array([row[field.name] for row in rows], without_zone.get(field.type, field.type))
        for field in schema
    ]
    return pa.Table.from_arrays(
        [column.cast(field.type) for column, field in zip(columns, schema, strict=True)],
        schema=schema,
    )


def _reasons(lake: Settings) -> dict[tuple[str, int], str]:
    """Why a row of a file is in quarantine; each is there once."""
    rows = in_quarantine(lake)
    found = {(Path(row["source_file"]).stem, row["source_row"]): row["reason"] for row in rows}
    assert len(found) == len(rows)
    return found
