"""What a build works on is frozen before it, and what failed is worked on again."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable, write_deltalake

from lakehouse import duck
from lakehouse.errors import LakehouseError, RefusedError
from lakehouse.settings import Settings
from lakehouse.transform import ranges, rebuilding
from tests.dbt.written_bronze import ENTITIES, boundary, change, deliver, instant, start_anew


@pytest.fixture
def bronze(lake: Settings) -> Settings:
    start_anew(lake)
    return lake


def test_a_range_advances_only_when_all_of_it_was_built(bronze: Settings) -> None:
    deliver(bronze, {"erp/items": [change(1, item_id="a")]})
    assert ranges.freeze(bronze, ENTITIES).new_batches == 1
    assert not ranges.advance(bronze)
    deliver(bronze, {"erp/items": [change(2, item_id="a")]})
    assert ranges.freeze(bronze, ENTITIES).new_batches == 2
    ranges.mark_built(bronze, "these models")
    deliver(
        bronze, {"erp/items": [change(3, item_id="a")], "erp/towers": [change(3, tower_id="t")]}
    )
    with pytest.raises(RefusedError, match="not built and tested"):
        ranges.require_tested(bronze)
    assert ranges.advance(bronze)
    ranges.require_tested(bronze)
    former = ranges.built(bronze)
    assert ranges.built_models(bronze) == "these models"
    assert former is not None
    assert former["erp/items"] == (2, 2)
    assert ranges.freeze(bronze, ENTITIES).new_batches == 2
    assert ranges.built(bronze) is None
    with pytest.raises(RefusedError, match="not built and tested"):
        ranges.require_tested(bronze)
    # A rebuild works on what was built before, and the next build goes on from there.
    assert ranges.freeze(bronze, ENTITIES, again=former).new_batches == 0
    assert ranges.freeze(bronze, ENTITIES).new_batches == 2


def test_the_date_is_the_local_one_of_the_erps_newest_commit(bronze: Settings) -> None:
    assert ranges.freeze(bronze, ENTITIES).as_of_date is None
    # 02:30 UTC on 6 October is 23:30 on the 5th in São Paulo.
    late = instant(5) - timedelta(hours=9, minutes=30)
    rows = [change(1, item_id="a") | {"_cdc_committed_at": late, "updated_at": instant(90)}]
    resync = boundary("items", 9, "snapshot", 1) | {"committed_at": instant(60)}
    deliver(bronze, {"erp/items": rows, "_cdc/boundaries": [resync]})
    assert ranges.freeze(bronze, ENTITIES).as_of_date == date(2024, 10, 5)
    deliver(bronze, {"erp/towers": [change(2, tower_id="t", day=20)]})
    assert ranges.freeze(bronze, ENTITIES, again={"erp/items": (0, 1)}).as_of_date == date(
        2024, 10, 5
    )
    assert ranges.freeze(bronze, ENTITIES).as_of_date == date(2024, 10, 21)


def test_a_bronze_table_that_is_not_there_is_named(bronze: Settings) -> None:
    shutil.rmtree(Path(bronze.bronze_uri) / "erp" / "towers")
    with pytest.raises(LakehouseError, match="there is no bronze table erp/towers") as error:
        ranges.freeze(bronze, ENTITIES)
    assert "lakehouse bronze load" in error.value.hint


def test_a_column_that_bronze_has_lost_is_named(bronze: Settings) -> None:
    uri = f"{bronze.bronze_uri}/erp/towers"
    columns = [name for name in ENTITIES["erp/towers"] if name != "state"]
    kept = DeltaTable(uri).to_pyarrow_table(columns=columns)
    write_deltalake(uri, kept, mode="overwrite", schema_mode="overwrite")
    with pytest.raises(LakehouseError, match="erp/towers has no column state, which its contract"):
        ranges.freeze(bronze, ENTITIES)


@pytest.mark.parametrize("content", [b"", b"no database at all", b"x" * 20_000])
def test_a_damaged_file_is_named_with_the_way_to_a_new_one(
    bronze: Settings, content: bytes
) -> None:
    ranges.freeze(bronze, ENTITIES)
    whole = bronze.duckdb_path.read_bytes()
    # An empty file is a new database to DuckDB; one cut in its middle is none.
    bronze.duckdb_path.write_bytes(content or whole[: len(whole) // 2])
    with pytest.raises(LakehouseError, match=r"warehouse\.duckdb is damaged") as error:
        ranges.freeze(bronze, ENTITIES)
    assert "lakehouse rebuild" in error.value.hint
    assert rebuilding._former(bronze, "these models") == (None, {})


def test_a_file_that_another_process_holds_is_not_replaced(bronze: Settings) -> None:
    ranges.freeze(bronze, ENTITIES)
    with _held(bronze.duckdb_path):
        with pytest.raises(LakehouseError, match="is open in another process") as error:
            rebuilding._former(bronze, "these models")
        assert "close" in error.value.hint
    duck.drop(bronze)
    assert not bronze.duckdb_path.exists()


class _held:
    """Another process that has the file open for as long as the block runs."""

    def __init__(self, path: Path) -> None:
        script = (
            "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", script, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def __enter__(self) -> None:
        assert self._process.stdout is not None
        self._process.stdout.readline()

    def __exit__(self, *_: object) -> None:
        self._process.communicate(b"\n")
