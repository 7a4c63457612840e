"""What is alive just before a position: PostgreSQL's log goes on with a commit right at it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from lakehouse import bronze, landing
from lakehouse.bronze import tables
from lakehouse.bronze.verify import latest
from lakehouse.settings import Settings
from tests.unit.bronze.landed import AIRBYTE, MORNING, movement, put, table

[MOVEMENT] = [one for one in bronze.contracts() if one.entity == "stock_movements"]
POINT = 24_690_000
BOUNDARY = pa.schema([*AIRBYTE, *landing.BOUNDARY_COLUMNS])


def alive(lake: Settings) -> list[tuple[int, str]]:
    with tables.reading(lake) as connection:
        names = ["stock_movement_id", "note"]
        latest.alive(lake, connection, MOVEMENT, names, POINT)
        return connection.execute("select * from lake order by all").fetchall()


def change(number: int, at: int, **other: Any) -> dict[str, Any]:
    return movement(number, _ab_cdc_lsn=at - 8, _cdc_commit_lsn=at, **other)


def bound(lake: Settings, name: str, phase: int, **other: Any) -> None:
    row = {
        "_airbyte_raw_id": name,
        "_airbyte_extracted_at": MORNING,
        "_airbyte_generation_id": 1,
        "_airbyte_meta": {"sync_id": 7, "changes": []},
        "source": "erp",
        "entity": "stock_movements",
        "seq": landing.seq(1, phase, POINT),
        "committed_at": MORNING,
        "commit_lsn": POINT,
    }
    put(lake, table([row | other], BOUNDARY), name, "/".join(landing.BOUNDARIES))


@pytest.mark.parametrize(("at", "seen"), [(POINT - 1, "new"), (POINT, "old"), (POINT + 1, "old")])
def test_a_change_counts_that_was_committed_before_the_position(
    lake: Settings, at: int, seen: str
) -> None:
    put(lake, table([change(1, POINT - 100, note="old"), change(1, at, note="new")]), "a")
    bronze.load(lake)
    assert alive(lake) == [(1, seen)]


def test_a_snapshot_at_the_position_counts(lake: Settings) -> None:
    here = {"_ab_cdc_lsn": POINT, "_cdc_commit_lsn": POINT, "_cdc_op": "snapshot"}
    put(lake, table([movement(1, **here), change(2, POINT)]), "a")
    bound(lake, "snapshot", landing.SNAPSHOT, kind="snapshot", row_count=1)
    bronze.load(lake)
    assert alive(lake) == [(1, "")]


def test_a_truncation_at_the_position_does_not_count(lake: Settings) -> None:
    put(lake, table([change(1, POINT - 100)]), "a")
    bound(lake, "truncate", landing.STREAM, kind="truncate", row_count=None)
    bronze.load(lake)
    assert alive(lake) == [(1, "")]
