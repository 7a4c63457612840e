"""What Airbyte delivers, in each of its formats, is in bronze as the ERP had it."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lakehouse import bronze
from lakehouse.settings import Settings
from tests.fixtures import airbyte
from tests.fixtures.airbyte import FORMATS, Format, Record, change
from tests.unit.bronze.landed import in_bronze, in_quarantine

NOON = datetime(2024, 9, 30, 12, 0, 0, 123456, UTC)
MOVEMENT = {
    "stock_movement_id": "integer",
    "item_id": "string",
    "tower_id": "string",
    "movement_type": "string",
    "quantity": "number",
    "unit_cost_brl": "number",
    "moved_at": "timestamp",
    "note": "string",
    "created_at": "timestamp",
    "updated_at": "timestamp",
}
every_format = pytest.mark.parametrize(("format_", "flattened"), FORMATS)


def movement(number: int, **other: Any) -> Record:
    """A movement as Airbyte emits it."""
    deleted = other.pop("deleted", False)
    row = {
        "stock_movement_id": number,
        "item_id": "010825",
        "tower_id": "BAFRD017",
        "movement_type": "issue",
        "quantity": Decimal("-2.5"),
        "unit_cost_brl": Decimal("10.25"),
        "moved_at": NOON,
        "note": None,
        "created_at": NOON,
        "updated_at": NOON,
    }
    return change(24685512 + number, deleted=deleted, **(row | other))


def deliver(lake: Settings, records: list[Record], **how: Any) -> Path:
    stream = Path(lake.landing_uri, "erp/stock_movements")
    return airbyte.write(stream, records, MOVEMENT, **how)


@every_format
def test_each_format_gives_the_same_rows(lake: Settings, format_: Format, flattened: bool) -> None:
    only_the_key = dict.fromkeys(set(MOVEMENT) - {"stock_movement_id"})
    records = [movement(1), movement(2, deleted=True, **only_the_key), movement(3, note='Ação "')]
    name = deliver(lake, records, format_=format_, flattened=flattened).name

    loaded = bronze.load(lake)

    assert (loaded.rows, loaded.quarantined_rows, loaded.quarantined_files) == (3, 0, 0)
    first, gone, third = in_bronze(lake)
    assert {column: first[column] for column in MOVEMENT} == {
        column: records[0][column] for column in MOVEMENT
    }
    assert str(first["quantity"]) == "-2.500"
    assert first["_cdc_seq"] == "00000310000000000024685513"
    assert first["_cdc_committed_at"] == datetime(2024, 10, 1, 11, 30, 0, 123000, UTC)
    assert first["_airbyte_extracted_at"] == airbyte.EXTRACTED_AT
    assert (first["_source_file"], first["_source_row"]) == (f"erp/stock_movements/{name}", 1)
    assert (gone["_cdc_op"], gone["stock_movement_id"]) == ("delete", 2)
    assert {gone[column] for column in only_the_key} == {None}
    assert third["note"] == 'Ação "'


@every_format
def test_both_marks_of_an_unchanged_value_are_understood(
    lake: Settings, format_: Format, flattened: bool
) -> None:
    records = [
        movement(1, note="__debezium_unavailable_value"),
        movement(2, note="java.lang.Object@2c5e36a7", movement_type="__debezium_unavailable_value"),
        movement(3, note="not java.lang.Object@2c5e36a7"),
    ]
    deliver(lake, records, format_=format_, flattened=flattened)

    bronze.load(lake)

    assert [
        (row["movement_type"], row["note"], row["_cdc_unchanged"]) for row in in_bronze(lake)
    ] == [
        ("issue", None, "|note|"),
        (None, None, "|movement_type|note|"),
        ("issue", "not java.lang.Object@2c5e36a7", None),
    ]


@pytest.mark.parametrize(
    ("quantity", "becomes"),
    [
        (0.1, "0.100"),
        (-2.5, "-2.500"),
        (123456789012.125, "is refused: more than 14 digits"),
        (99999999999.999, "99999999999.999"),
        (100000000000.0, "is refused: more than 14 digits"),
        (999999999999999.0, "is refused: more than 15 digits"),
        (0.0005, "is refused: more than 3 decimals"),
        (1 / 3, "is refused: more than 3 decimals"),
        (float("nan"), "is refused: not a finite number"),
        (float("inf"), "is refused: not a finite number"),
        (float("-inf"), "is refused: not a finite number"),
    ],
)
@pytest.mark.parametrize("format_", ["parquet", "jsonl"])
def test_doubles_become_the_decimals_that_they_were_or_are_refused(
    lake: Settings, format_: Format, quantity: float, becomes: str
) -> None:
    deliver(lake, [movement(1, quantity=quantity), movement(2)], format_=format_)

    bronze.load(lake)

    if becomes.startswith("is refused: "):
        [row] = in_quarantine(lake)
        assert row["source_row"] == 1
        assert row["reason"].startswith("quantity ")
        if "15" not in becomes:
            assert becomes.removeprefix("is refused: ") in row["reason"]
        assert len(in_bronze(lake)) == 1
    else:
        assert [str(row["quantity"]) for row in in_bronze(lake)] == [becomes, "-2.500"]


@every_format
def test_what_airbyte_could_not_write_is_refused(
    lake: Settings, format_: Format, flattened: bool
) -> None:
    nulled = [{"field": "note", "change": "NULLED", "reason": "DESTINATION_FIELD_SIZE_LIMITATION"}]
    deliver(lake, [movement(1)], format_=format_, flattened=flattened, changes=nulled)
    assert bronze.load(lake).quarantined_rows == 1
    assert "_airbyte_meta.changes" in in_quarantine(lake)[0]["reason"]


@pytest.mark.parametrize("format_", ["jsonl", "jsonl.gz"])
def test_lines_that_are_no_rows_are_kept_as_they_came(lake: Settings, format_: Format) -> None:
    path = deliver(lake, [movement(1)], format_="jsonl")
    good = path.read_bytes()
    broken = [b"{", b'{"a": 1, "a": 2}', b"[]", b"caf\xe9", b'{"_airbyte_data": 1}', good[:-20]]
    path.unlink()
    content = good + b"\n".join(broken) + b"\n\n" + good.replace(b"24685513", b"24685514")
    target = path.with_suffix(f".{format_}")
    target.write_bytes(gzip.compress(content) if format_ == "jsonl.gz" else content)

    loaded = bronze.load(lake)

    assert (loaded.rows, loaded.quarantined_rows) == (2, len(broken))
    kept = in_quarantine(lake)
    assert [(row["source_row"], row["original"]) for row in kept] == [
        (number, line) for number, line in enumerate(broken, start=2)
    ]
    assert all(row["reason"].startswith("unreadable: ") for row in kept)
    assert [row["_source_row"] for row in in_bronze(lake)] == [1, 9]


def test_a_gzip_that_ends_in_the_middle_is_kept_whole(lake: Settings) -> None:
    path = deliver(lake, [movement(n) for n in range(500)], format_="jsonl.gz")
    content = path.read_bytes()[:-40]
    path.write_bytes(content)
    loaded = bronze.load(lake)
    assert (loaded.rows, loaded.quarantined_files) == (0, 1)
    assert in_quarantine(lake)[0]["original"] == content
