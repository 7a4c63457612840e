"""Bronze against a real ERP: equal after everything that an ERP does, and what differs is named."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from lakehouse import bronze, cdc
from lakehouse.bronze.verify import Verified, verify
from lakehouse.settings import Settings
from tests.integration.cdc_replay import WHOLE_ERP, execute, lake_on

pytestmark = pytest.mark.server

LONG = "(select string_agg(md5(i::text), '') from generate_series(1, 300) i)"  # past any toaster


@pytest.fixture
def erp(server: Settings) -> Iterator[Settings]:
    with lake_on(server, WHOLE_ERP) as settings:
        yield settings


def caught_up(lake: Settings) -> Verified:
    def catch_up() -> None:
        cdc.sync(lake, after_generation=bronze.last_generation(lake))
        bronze.load(lake)

    return verify(lake, catch_up)


def item(key: str, description: str = "null") -> str:
    return (
        f"insert into items values ('{key}', E'a,\"b\"\\n\\r\\n;\\\\.', 'EPI', 'UN', 1.50, 'A', "
        f"false, {description}, '2024-10-01 12:00:00.000001Z', '2024-10-01 12:00:00.123456Z')"
    )


def test_bronze_is_the_erp_after_all_that_an_erp_does(erp: Settings) -> None:
    execute(
        erp,
        *[item(f"0{n}", LONG) for n in range(5)],
        item("nasty", r"'\N'"),
        item("empty", "''"),
        "insert into suppliers values ('000417', 'ção', null, 'US', null, true, now(), now())",
        "insert into item_suppliers values (1, '00', '000417', 0.01, 0.001, 1, 2147483647,"
        " '0001-01-01', '9999-12-31', now(), now())",
    )
    assert caught_up(erp).problems == []
    execute(
        erp,
        "update items set unit = 'CX' where item_id = '00'",  # long value unchanged
        "update items set item_id = 'k1' where item_id = '01'",  # and its key changes,
        "begin; update items set item_id = 'k2' where item_id = 'k1';"
        " update items set item_id = 'k3', unit = 'M' where item_id = 'k2'; commit",
        "delete from items where item_id = '02'",
        item("02", "null"),
        "begin; update items set item_id = '03x' where item_id = '03'; "
        "update items set item_id = '03' where item_id = '03x'; commit",
        "insert into stock_movements select i, '00', 'T', 'receipt', i / 8.0, 2, now(),"
        " case i % 3 when 0 then '' when 1 then 'é' || i end, now(), now()"
        " from generate_series(1, 500) i",
        "truncate stock_movements",
        "insert into stock_movements values (7, '00', 'T', 'issue', -1, 2, now(), 'x', now(),"
        " now())",
    )

    proven = caught_up(erp)

    assert proven.problems == []
    assert proven.lsn is not None
    rows = {one.table: (one.erp_rows, one.bronze_rows) for one in proven.compared}
    assert rows["erp/items"] == (7, 7)
    assert rows["erp/stock_movements"] == (1, 1)
    assert len(rows) == 13


def test_what_differs_is_named_on_both_sides(erp: Settings) -> None:
    execute(erp, item("same"), item("other"), item("missing"))
    assert caught_up(erp).problems == []
    table = DeltaTable(bronze.table_uri(erp, "erp", "items"))
    [path] = table.file_uris()
    rows = pq.read_table(path, partitioning=None).to_pylist()
    kept = [
        row | ({"item_name": "wrong"} if row["item_id"] == "other" else {})
        for row in rows
        if row["item_id"] != "missing"
    ]
    schema = pq.read_schema(path)
    pq.write_table(pa.Table.from_pylist(kept, schema), path)

    problems = [one for one in caught_up(erp).problems if "rows are so only" in one]

    assert problems == [
        "erp/items: 2 rows are so only in the ERP: missing, other",
        "erp/items: 1 rows are so only in bronze: other",
    ]


def test_what_is_committed_after_the_position_is_left_out(erp: Settings) -> None:
    execute(erp, item("before"))
    caught_up(erp)

    calls: list[str] = []

    def catch_up() -> None:
        calls.append("")
        if len(calls) == 1:
            return
        execute(erp, item("after"), "update items set unit = 'CX'", "truncate suppliers cascade")
        cdc.sync(erp, after_generation=bronze.last_generation(erp))
        bronze.load(erp)

    proven = verify(erp, catch_up)
    assert proven.problems == []
    [items] = [one for one in proven.compared if one.table == "erp/items"]
    assert (items.erp_rows, items.bronze_rows) == (1, 1)


def test_a_new_column_of_the_erp_is_named_until_bronze_has_it(erp: Settings) -> None:
    execute(erp, item("1"))
    caught_up(erp)
    execute(erp, "alter table items add lot text default 'L0'")
    assert "erp/items: column lot of the ERP is not in bronze" in caught_up(erp).problems
