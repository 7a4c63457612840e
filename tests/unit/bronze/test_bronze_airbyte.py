"""What Airbyte delivers, in each of its formats, is in bronze as the ERP had it."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lakehouse import bronze
from lakehouse.bronze import contract as contract_module
from lakehouse.bronze import loading
from lakehouse.settings import Settings
from tests.fixtures import airbyte
from tests.fixtures.airbyte import FORMATS, Format, Record, change
from tests.unit.bronze.landed import Row, in_bronze, in_quarantine

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
EVERY_TYPE = """\
description: One column of each type.
grain: One row per change of a row.
delivers: changes
key: [id]
columns:
  - {name: id, type: integer, description: d}
  - {name: code, type: varchar(8), description: d, nullable: true}
  - {name: small, type: smallint, description: d, nullable: true}
  - {name: big, type: bigint, description: d, nullable: true}
  - {name: is_it, type: boolean, description: d, nullable: true}
  - {name: day, type: date, description: d, nullable: true}
  - {name: hour, type: time, description: d, nullable: true}
  - {name: local, type: timestamp, description: d, nullable: true}
  - {name: moment, type: timestamptz, description: d, nullable: true}
  - {name: single, type: real, description: d, nullable: true}
  - {name: wide, type: double, description: d, nullable: true}
  - {name: amount, type: "decimal(12,2)", description: d, nullable: true}
  - {name: blob, type: bytes, description: d, nullable: true}
  - {name: mark, type: uuid, description: d, nullable: true}
  - {name: tree, type: json, description: d, nullable: true}
"""
AIRBYTE_TYPES = {
    "id": "integer",
    "code": "string",
    "small": "integer",
    "big": "integer",
    "is_it": "boolean",
    "day": "date",
    "hour": "time",
    "local": "timestamp",
    "moment": "timestamp",
    "single": "number",
    "wide": "number",
    "amount": "number",
    "blob": "string",
    "mark": "string",
    "tree": "string",
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
    types = how.pop("types", MOVEMENT)
    stream = Path(lake.landing_uri, how.pop("entity", "erp/stock_movements"))
    return airbyte.write(stream, records, types, **how)


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


@pytest.fixture
def every_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "erp" / "things.yml"
    path.parent.mkdir()
    path.write_text(EVERY_TYPE)
    contract = contract_module.read(path)
    monkeypatch.setattr(loading, "contracts", lambda: (contract,))


def things(**values: Any) -> Record:
    empty: Record = dict.fromkeys(set(AIRBYTE_TYPES) - {"id"})
    return change(77, id=1, **(empty | values))


WHOLE = {
    "code": "Ação",
    "small": -32768,
    "big": 2**53 + 1,
    "is_it": True,
    "day": date(1, 1, 1),
    "hour": time(23, 59, 59, 999999),
    "local": NOON,
    "moment": datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
    "single": 0.1,
    "wide": 0.1,
    "amount": Decimal("9999999999.99"),
    "blob": "\\x00ff",
    "mark": "0197604B-CA2E-7E7C-9126-DACC18B68E8E",
    "tree": '{"b": 1.50, "a": [null, "ç"]}',
}
STORED = WHOLE | {
    "hour": "23:59:59.999999",
    "single": pytest.approx(0.1),
    "blob": b"\x00\xff",
    "mark": "0197604b-ca2e-7e7c-9126-dacc18b68e8e",
    "tree": '{"a":[null,"ç"],"b":1.50}',
}


@pytest.mark.usefixtures("every_type")
@every_format
def test_every_type_is_stored_in_one_form(lake: Settings, format_: Format, flattened: bool) -> None:
    deliver(
        lake,
        [things(**WHOLE), things()],
        types=AIRBYTE_TYPES,
        entity="erp/things",
        format_=format_,
        flattened=flattened,
    )
    loaded = bronze.load(lake)
    assert in_quarantine(lake) == []
    assert loaded.rows == 2
    whole, empty = in_bronze(lake, "erp/things")
    assert _own(whole) == {"id": 1} | STORED
    assert _own(empty) == {"id": 1} | dict.fromkeys(STORED)


@pytest.mark.usefixtures("every_type")
@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"small": "many"}, "small is no integer"),
        ({"big": 2**63}, "big is beyond a bigint"),
        ({"big": 1e300}, "big is no integer"),
        ({"is_it": 1}, "is_it is no boolean"),
        ({"day": "10000-01-01"}, "day is no date of the years 0001 to 9999"),
        ({"day": "infinity"}, "day is no date of the years 0001 to 9999"),
        ({"moment": "2024-10-01T12:00:00"}, "moment is no timestamp"),
        ({"moment": "-infinity"}, "moment is no timestamp"),
        ({"moment": "2024-10-01T12:00:00.1234567Z"}, "moment is no timestamp"),
        ({"hour": "25:00"}, "hour is no time"),
        ({"mark": "no uuid"}, "mark is no uuid"),
        ({"single": 0.123456789}, "single has more digits than a real holds"),
        ({"blob": "\\x0"}, "blob is no bytes"),
        ({"code": 7}, "code is no text"),
        ({"code": "a\0b"}, "code holds a NUL character"),
        ({"code": "\ud800"}, "code holds half a character"),
        ({"amount": "1.234"}, "amount has more than 2 decimals"),
        ({"amount": {}}, "amount is no number"),
    ],
)
def test_values_of_json_that_do_not_fit_are_refused(
    lake: Settings, values: Mapping[str, Any], reason: str
) -> None:
    records = [things(**values), things()]
    path = deliver(lake, records, types=AIRBYTE_TYPES, entity="erp/things", format_="jsonl")
    original = path.read_text("utf8").splitlines()[0]

    bronze.load(lake)

    [row] = in_quarantine(lake)
    assert row["reason"].startswith(reason)
    assert (row["source_row"], row["payload"]) == (1, original)
    assert [row["_source_row"] for row in in_bronze(lake, "erp/things")] == [2]


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


def _own(row: Row) -> Row:
    return {name: row[name] for name in AIRBYTE_TYPES}
