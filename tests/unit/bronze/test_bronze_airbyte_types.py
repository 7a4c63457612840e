"""A column of each type as Airbyte delivers it: stored in one form, or refused if it fits none."""

from __future__ import annotations

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
WHOLE = {
    "code": "Ação",
    "small": -32768,
    "big": 2**53 + 1,
    "is_it": True,
    "day": date(1, 1, 1),
    "hour": time(23, 59, 59, 999999),
    "local": datetime(2024, 9, 30, 12, 0, 0, 123456, UTC),
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


def deliver(lake: Settings, records: list[Record], **how: Any) -> Path:
    return airbyte.write(Path(lake.landing_uri, "erp/things"), records, AIRBYTE_TYPES, **how)


def _own(row: Row) -> Row:
    return {name: row[name] for name in AIRBYTE_TYPES}


@pytest.mark.usefixtures("every_type")
@pytest.mark.parametrize(("format_", "flattened"), FORMATS)
def test_every_type_is_stored_in_one_form(lake: Settings, format_: Format, flattened: bool) -> None:
    deliver(lake, [things(**WHOLE), things()], format_=format_, flattened=flattened)
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
    path = deliver(lake, [things(**values), things()], format_="jsonl")
    original = path.read_text("utf8").splitlines()[0]

    bronze.load(lake)

    [row] = in_quarantine(lake)
    assert row["reason"].startswith(reason)
    assert (row["source_row"], row["payload"]) == (1, original)
    assert [row["_source_row"] for row in in_bronze(lake, "erp/things")] == [2]
