"""What a landing file becomes in bronze, and that it becomes it once."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from lakehouse import bronze
from lakehouse.bronze import parts
from lakehouse.errors import LakehouseError, RefusedError
from lakehouse.settings import Settings
from tests.unit.bronze.landed import (
    AIRBYTE,
    AIRBYTE_MOVEMENTS,
    MORNING,
    UTC_TIME,
    VOLATILE,
    batches,
    in_bronze,
    in_quarantine,
    movement,
    put,
    table,
    without,
)


def test_every_contracted_table_is_made_without_a_file(lake: Settings) -> None:
    loaded = bronze.load(lake)

    assert (loaded.files, loaded.rows, loaded.tables) == (0, 0, {})
    for entity in ("items", "towers", "inventory", "stock_movements"):
        made = DeltaTable(bronze.table_uri(lake, "erp", entity))
        assert made.metadata().partition_columns == ["_load_date"]
        assert made.metadata().description
    assert in_bronze(lake, "_cdc/boundaries") == []
    assert in_quarantine(lake) == []


def test_a_row_arrives_exactly_as_delivered(lake: Settings) -> None:
    put(lake, table([movement(1), movement(2, _cdc_op="snapshot", note=None)]), "a")
    before = datetime.now(UTC)

    loaded = bronze.load(lake)

    first, second = in_bronze(lake)
    assert before <= first.pop("_loaded_at") <= datetime.now(UTC)
    assert before.date() <= first.pop("_load_date") <= datetime.now(UTC).date()
    delivered = movement(1)
    assert list(first.items()) == [
        *[(name, delivered[name]) for name in AIRBYTE_MOVEMENTS.names[4:14]],
        ("_cdc_seq", "00000110000000000024685513"),
        ("_cdc_op", "upsert"),
        ("_cdc_lsn", 24685513),
        ("_cdc_commit_lsn", 24690000),
        ("_cdc_committed_at", datetime(2024, 10, 1, 11, 30, 0, 123000, UTC)),
        ("_cdc_unchanged", None),
        ("_airbyte_extracted_at", delivered["_airbyte_extracted_at"]),
        ("_batch_id", 1),
        ("_source_file", "erp/stock_movements/a.parquet"),
        ("_source_row", 1),
    ]
    assert second["_cdc_seq"] == "00000100000000000024685514"
    assert second["note"] is None
    assert second["_source_row"] == 2
    assert loaded.tables["erp/stock_movements"] == bronze.LoadedTable(1, 1, 2, 0, 0)


def test_boundaries_keep_their_own_columns(lake: Settings) -> None:
    own = {
        "source": "erp",
        "entity": "items",
        "seq": "00000100000000000000000042",
        "kind": "truncate",
        "committed_at": MORNING,
        "commit_lsn": 43,
        "row_count": None,
    }
    kinds = [pa.string()] * 4 + [UTC_TIME, pa.int64(), pa.int64()]
    schema = pa.schema([*AIRBYTE, *zip(own, kinds, strict=True)])
    put(lake, table([movement(1) | own], schema), "a", "_cdc/boundaries")

    bronze.load(lake)

    [row] = in_bronze(lake, "_cdc/boundaries")
    assert {name: row[name] for name in own} == own
    assert [name for name in row if name.startswith("_cdc")] == []


def test_airbyte_s_own_files_are_read(lake: Settings) -> None:
    lsn = AIRBYTE_MOVEMENTS.get_field_index("_ab_cdc_lsn")
    schema = AIRBYTE_MOVEMENTS.set(lsn, pa.field("_ab_cdc_lsn", pa.float64()))
    # In its deletes the columns beside the key hold the defaults of their types.
    deleted = movement(2, item_id="", quantity=0, _ab_cdc_deleted_at="2024-10-01T12:00:00Z")
    put(lake, table([movement(1), deleted], schema), "a")

    bronze.load(lake)

    first, second = in_bronze(lake)
    assert (first["_cdc_op"], first["_cdc_lsn"]) == ("upsert", 24685513)
    assert (first["_cdc_commit_lsn"], first["_cdc_unchanged"]) == (None, None)
    assert second["_cdc_op"] == "delete"
    assert second["stock_movement_id"] == 2
    assert (second["item_id"], second["quantity"], second["moved_at"]) == (None, None, None)


def test_deletes_and_unchanged_values_need_no_value(lake: Settings) -> None:
    names = AIRBYTE_MOVEMENTS.names[5:14]
    deleted = movement(1, _cdc_op="delete", **dict.fromkeys(names))
    unchanged = movement(2, movement_type=None, _cdc_unchanged="|movement_type|note|")
    put(lake, table([deleted, unchanged]), "a")

    loaded = bronze.load(lake)

    assert (loaded.rows, loaded.quarantined_rows) == (2, 0)
    assert in_bronze(lake)[1]["_cdc_unchanged"] == "|movement_type|note|"


def test_the_same_content_under_another_name_is_known(lake: Settings) -> None:
    put(lake, table([movement(1)]), "a")
    put(lake, table([movement(1)]), "b")
    assert bronze.load(lake).rows == 1
    put(lake, table([movement(1)]), "c")
    assert bronze.load(lake).files == 0
    version = DeltaTable(bronze.table_uri(lake, "erp", "stock_movements")).version()

    put(lake, table([movement(2)]), "d")
    loaded = bronze.load(lake)

    assert (loaded.files, loaded.rows) == (1, 1)
    assert batches(lake) == [1, 2]
    table_now = DeltaTable(bronze.table_uri(lake, "erp", "stock_movements"))
    assert table_now.version() == version + 1


def test_shuffled_and_repeated_files_give_the_same_rows(lake: Settings) -> None:
    contents = [table([movement(10 * i + j) for j in range(3)]) for i in range(8)]
    contents.append(table([movement(99, item_id="a\0b"), movement(98)]))
    for number, content in enumerate(contents):
        put(lake, content, f"{number}")
    bronze.load(lake)
    ignored = VOLATILE | {"_source_file", "source_file"}
    expected = without(in_bronze(lake), ignored), without(in_quarantine(lake), ignored)
    other = Settings(**{**vars(lake), "lake_uri": f"{lake.lake_uri}/other"})
    random.seed(7)
    deliveries = contents * 3
    random.shuffle(deliveries)

    for number, content in enumerate(deliveries):
        put(other, content, f"{number:03d}")
        if number % 5 == 0:
            bronze.load(other)
    bronze.load(other)

    assert sum(expected[0].values()) == 25
    assert (without(in_bronze(other), ignored), without(in_quarantine(other), ignored)) == expected


def test_row_numbers_are_the_file_s_when_it_is_read_in_pieces(
    lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "ROWS_AT_A_TIME", 2)
    rows = [movement(n, item_id=None if n in (2, 5) else "010825") for n in range(1, 8)]
    put(lake, table(rows), "a")

    bronze.load(lake)

    assert [(row["_source_row"], row["stock_movement_id"]) for row in in_bronze(lake)] == [
        (n, n) for n in (1, 3, 4, 6, 7)
    ]
    assert [row["source_row"] for row in in_quarantine(lake)] == [2, 5]


def test_files_without_a_contract_wait_and_are_told(lake: Settings) -> None:
    put(lake, table([movement(1)]), "a", "erp/planets")
    assert bronze.load(lake).waiting_for_a_contract == {"erp/planets": 1}


def test_a_batch_is_found_by_its_number_without_reading_the_others(lake: Settings) -> None:
    put(lake, table([movement(1)]), "a")
    bronze.load(lake)
    put(lake, table([movement(2)]), "b")
    bronze.load(lake)
    actions = pa.table(
        DeltaTable(bronze.table_uri(lake, "erp", "stock_movements")).get_add_actions(flatten=True)
    ).to_pylist()
    assert sorted((row["min._batch_id"], row["max._batch_id"]) for row in actions) == [
        (1, 1),
        (2, 2),
    ]
    assert {type(row["partition._load_date"]) for row in actions} == {date}


def test_a_table_that_is_not_its_contract_s_is_refused(lake: Settings) -> None:
    uri = bronze.table_uri(lake, "erp", "items")
    DeltaTable.create(uri, pa.schema([("item_id", pa.int64())]))
    with pytest.raises(RefusedError, match="item_id is bigint, not text"):
        bronze.load(lake)


def test_a_table_that_cannot_be_read_is_named(lake: Settings) -> None:
    bronze.load(lake)
    log = Path(bronze.table_uri(lake, "erp", "towers"), "_delta_log", f"{0:020d}.json")
    log.write_text("{ not json")
    put(lake, b"", "new", "erp/towers")
    with pytest.raises(LakehouseError, match="erp/towers cannot be opened"):
        bronze.load(lake)
