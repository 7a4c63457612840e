"""JSON lines appear whole, in Airbyte's form, and what they say is read back exactly."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lakehouse import landing
from lakehouse.errors import LakehouseError
from lakehouse.landing import jsonl
from lakehouse.settings import Settings

ROW = {"id": 1, "name": 'Ação "x"\n', "price": Decimal("10.250"), "day": date(2024, 10, 1)}
SAID = {"id": 1, "name": 'Ação "x"\n', "price": "10.250", "day": "2024-10-01"}
DELIVERY = landing.Delivery(generation=3, sync_id=7)


@pytest.mark.parametrize("flattened", [True, False])
@pytest.mark.parametrize("packed", [True, False])
def test_lines_have_airbyte_s_form(lake: Settings, flattened: bool, packed: bool) -> None:
    landing.write_lines(
        lake, "suppliers", "quotes", [ROW, ROW], DELIVERY, flattened=flattened, packed=packed
    )
    [landed] = landing.list_files(lake)
    assert (landed.source, landed.entity) == ("suppliers", "quotes")
    path = landed.path
    assert path.name.endswith(".jsonl.gz") == packed
    text = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
    first, second = (json.loads(line) for line in text.splitlines())
    assert first.pop("_airbyte_raw_id") != second["_airbyte_raw_id"]
    now = datetime.now(UTC).timestamp() * 1000
    assert now - 60_000 < first.pop("_airbyte_extracted_at") <= now
    assert first.pop("_airbyte_generation_id") == 3
    assert first.pop("_airbyte_meta") == {"sync_id": 7, "changes": []}
    assert first == (SAID if flattened else {"_airbyte_data": SAID})
    with jsonl.opened(path, packed=packed) as opened:
        records = [line.record for line in jsonl.lines(opened)]
    assert [_own(record) for record in records] == [SAID, SAID]


def test_a_delivery_that_fails_leaves_nothing(lake: Settings) -> None:
    def rows() -> Iterator[dict[str, Any]]:
        yield ROW
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        landing.write_lines(lake, "suppliers", "quotes", rows(), DELIVERY)
    assert list(Path(lake.landing_uri, "suppliers", "quotes").iterdir()) == []


def test_a_folder_that_is_none_is_named(lake: Settings) -> None:
    Path(lake.landing_uri).mkdir(parents=True)
    Path(lake.landing_uri, "suppliers").touch()
    with pytest.raises(LakehouseError, match="suppliers/quotes could not be written"):
        landing.write_lines(lake, "suppliers", "quotes", [ROW], DELIVERY)


def test_files_that_are_not_delivered_yet_are_no_files(lake: Settings) -> None:
    landing.write_lines(lake, "suppliers", "quotes", [ROW], DELIVERY)
    [path] = [file.path for file in landing.list_files(lake)]
    path.rename(path.with_name(f".{path.name}"))
    path.with_name("notes.txt").touch()
    assert landing.list_files(lake) == []


def _own(record: dict[str, Any] | None) -> dict[str, Any]:
    return {k: v for k, v in (record or {}).items() if k not in jsonl.ENVELOPE}
