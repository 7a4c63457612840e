"""Bronze in PostgreSQL is what it is in Delta, batch by batch; and both engines hash the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable, write_deltalake

from lakehouse import duck, engine, ops
from lakehouse.erp import postgres
from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings
from lakehouse.transform import bronze_copy, mart_hashes
from tests.dbt.written_bronze import Row, change, deliver, start_anew

pytestmark = pytest.mark.server
COPY = "bronze.erp__items"
HARD: Row = {
    "item_id": "010825",
    "item_name": "Cabo 'X'\t\"nº 5\"\\\nção",
    "unit": "",
    "unit_cost_brl": Decimal("9999999999.99"),
    "is_service": False,
    "created_at": datetime(1, 1, 1, tzinfo=UTC),
    "updated_at": datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
}


@pytest.fixture
def lake(server: Settings, tmp_path: Path) -> Iterator[Settings]:
    """A lake of its own on a server that the tests of this file share."""
    there = replace(server, home=tmp_path, lake_uri=str(tmp_path), engine="postgres")
    there = replace(there, warehouse_dsn=postgres.warehouse_dsn(server))
    start_anew(there)
    yield there
    engine.drop(there)


def copied(lake: Settings, batch: int) -> int:
    return bronze_copy.copy(lake, {"erp/items": batch})


def in_postgres(lake: Settings) -> list[tuple[Any, ...]]:
    return engine.ask(lake, f"select * from {COPY} order by _batch_id, _source_row")[1]


def in_delta(lake: Settings) -> list[tuple[Any, ...]]:
    rows = DeltaTable(f"{lake.bronze_uri}/erp/items").to_pyarrow_table().to_pylist()
    rows.sort(key=lambda row: (row["_batch_id"], row["_source_row"]))
    return [tuple(row.values()) for row in rows]


def test_every_value_is_the_same_and_a_batch_is_copied_once(lake: Settings) -> None:
    deliver(lake, {"erp/items": [change(1) | HARD, change(2, "delete", item_id="a")]})
    deliver(lake, {"erp/items": [change(3, item_id="b")]})
    assert copied(lake, 1) == 2
    assert copied(lake, 1) == 0
    assert copied(lake, 2) == 1
    assert in_postgres(lake) == in_delta(lake)


def test_a_copy_that_died_is_made_again_whole(
    lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(lake, {"erp/items": [change(1, item_id="a")]})
    copied(lake, 1)
    deliver(lake, {"erp/items": [change(2, item_id="b")]})
    with monkeypatch.context() as patched:
        # After the rows, before the word of how far they go.
        patched.setattr(bronze_copy, "COPIED", "select 1 / 0, %s, %s, %s")
        with pytest.raises(LakehouseError, match="erp/items could not be copied"):
            copied(lake, 2)
    assert len(in_postgres(lake)) == 1
    assert copied(lake, 2) == 1
    assert in_postgres(lake) == in_delta(lake)


def test_another_column_or_another_table_is_copied_anew(lake: Settings) -> None:
    deliver(lake, {"erp/items": [change(1, item_id="a"), change(2, item_id="b")]})
    copied(lake, 1)
    _run(lake, f"alter table {COPY} drop column family")
    assert copied(lake, 1) == 2
    assert in_postgres(lake) == in_delta(lake)
    uri = f"{lake.bronze_uri}/erp/items"
    rows = DeltaTable(uri).to_pyarrow_table().slice(0, 1)
    start_anew(lake)
    write_deltalake(uri, rows, mode="append")
    assert copied(lake, 1) == 1
    assert in_postgres(lake) == in_delta(lake)


def test_a_table_that_is_not_there_is_named(lake: Settings) -> None:
    with pytest.raises(LakehouseError, match="erp/nothing could not be copied"):
        bronze_copy.copy(lake, {"erp/nothing": 1})


MART = """
    create table {schema}.rpt_kinds as
    select
        cast('ação' as text) as a_text, cast(null as text) as a_null,
        cast(7 as integer) as a_number,
        cast(70000000000 as bigint) as a_big_one, cast(-1.50 as numeric(12, 2)) as a_decimal,
        cast(0.000001 as numeric(18, 6)) as a_small_one, 1 = 1 as is_true,
        cast('2024-02-29' as date) as a_date,
        cast('2024-02-29 23:59:59.123456+00' as timestamp with time zone) as a_time
"""


def test_both_engines_hash_the_same_rows_alike(lake: Settings) -> None:
    other = replace(lake, engine="duckdb")
    for settings, run in ((lake, _run), (other, _run_in_duckdb)):
        schema = engine.schema(settings, "marts")
        run(settings, f"create schema {schema}", MART.format(schema=schema))
    assert mart_hashes(lake) == mart_hashes(other) != {}
    _run(lake, "update dbt_marts.rpt_kinds set a_small_one = 0.000002")
    assert mart_hashes(lake) != mart_hashes(other)


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("cast(1 as numeric)", "rpt_bad.x has no scale"),
        ("cast('NaN' as numeric(12, 2))", "rpt_bad.x holds NaN"),
    ],
)
def test_what_duckdb_would_misread_is_not_hashed(
    lake: Settings, value: str, complaint: str
) -> None:
    _run(lake, "create schema dbt_marts", f"create table dbt_marts.rpt_bad as select {value} as x")
    with pytest.raises(LakehouseError, match=complaint):
        mart_hashes(lake)


def _run(lake: Settings, *statements: str) -> None:
    with ops.warehouse(lake) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _run_in_duckdb(lake: Settings, *statements: str) -> None:
    with duck.warehouse(lake) as connection:
        for statement in statements:
            connection.execute(statement)
