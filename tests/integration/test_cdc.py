"""The reader against a real PostgreSQL: what landing holds, replayed, is what the tables hold."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg2
import pytest

from lakehouse import cdc, landing
from lakehouse.erp import postgres
from lakehouse.settings import Settings
from tests.integration.cdc_replay import (
    ask,
    delivered,
    differences,
    execute,
    iso,
    keys,
    lake_on,
    replayed,
    slot,
)

# One server a file, so one worker a file.
pytestmark = [pytest.mark.server, pytest.mark.xdist_group(__name__)]

NASTY = (
    "E'a,\"b\"\\n\\r\\n;\\\\.'",  # separators, quotes, line breaks, COPY's old end mark
    "''",
    "null",
    "'  ç€𝄞\u00a0 '",
    "'NULL'",
    r"'\N'",
    "',,,'",
    "repeat('y', 3000)",
)
LONG = "(select string_agg(md5(i::text), '') from generate_series(1, 300) i)"  # past any toaster


def item(key: str, description: str = "null", cost: str = "1.50") -> str:
    return (
        f"insert into items values ('{key}', 'n', 'EPI', 'UN', {cost}, 'A', false, "
        f"{description}, '2024-10-01 12:00:00.000001Z', '2024-10-01 12:00:00.123456Z')"
    )


def tower(key: str) -> str:
    return (
        f"insert into towers values ('{key}', 'n', 'macro', 'BA', 'Salvador', -12.9, -38.5, "
        "null, now(), now())"
    )


def movements(first: int, last: int) -> str:
    return (
        "insert into stock_movements select i, '0' || i % 97, 'T', 'receipt', i / 8.0, 2, now(), "
        f"case i % 3 when 0 then '' when 1 then 'é' || i end, now(), now() "
        f"from generate_series({first}, {last}) i"
    )


@pytest.fixture
def erp(server: Settings) -> Iterator[Settings]:
    """A lake with an ERP that holds a few rows and was never read."""
    with lake_on(server) as settings:
        execute(
            settings,
            *[item(f"0{i}", text) for i, text in enumerate(NASTY)],
            tower("BAFRD017"),
            tower("SP4-UBA-00"),
            "insert into inventory values ('07', 'BAFRD017', 0, 0, 0, 0, now(), now())",
            movements(1, 500),
        )
        yield settings


def test_every_kind_of_change_replays_to_the_erps_tables(erp: Settings) -> None:
    first = cdc.sync(erp)
    assert (first.generation, first.snapshot_rows) == (1, len(NASTY) + 2 + 1 + 500)
    assert differences(erp) == {}

    execute(
        erp,
        *[item(f"1{i}", text, cost=f"{i}.0{i}") for i, text in enumerate(NASTY)],
        item("long", LONG),
        "update items set item_name = '' where item_id like '1%'",
        "update items set item_name = item_name",  # changes nothing, and is a change
        "update items set unit_cost_brl = 9 where item_id = 'long'",  # its text is not sent again
        "update items set item_id = 'longer' where item_id = 'long'",  # nor here
        "update items set item_id = 'b', is_service = true where item_id = '10'",
        "update items set item_id = '10' where item_id = 'b'",
        "delete from items where item_id = '11'; " + item("11"),
        "delete from items where item_id = '12'",
        f"begin; {item('never')}; delete from stock_movements; rollback",
        f"begin; {item('kept')}; savepoint s; {item('dropped')}; delete from items where "
        f"item_id = 'kept'; rollback to s; {item('also kept')}; commit",
        "delete from inventory; truncate stock_movements; " + movements(400, 450),
        "begin; truncate towers cascade; rollback",
        "truncate inventory, stock_movements",
        movements(2000, 2100),
        "update stock_movements set stock_movement_id = -stock_movement_id where "
        "stock_movement_id < 2050",
    )
    second = cdc.sync(erp)
    assert second.snapshot_rows == 0
    assert differences(erp) == {}
    assert {("never",), ("dropped",)}.isdisjoint(replayed(erp, "items"))


def assert_the_snapshot_is_of_its_newest_row(erp: Settings) -> None:
    """A snapshot has no commit: its rows and boundary are dated by the newest row of all tables."""
    snapshot = delivered(erp, "towers")[0]
    (boundary,) = [b for b in delivered(erp, "boundaries", "_cdc") if b["entity"] == "towers"]
    assert boundary["seq"] == snapshot["seq"]
    assert (boundary["kind"], boundary["row_count"]) == ("snapshot", 2)
    assert boundary["commit_lsn"] == snapshot["_ab_cdc_lsn"] == snapshot["_cdc_commit_lsn"]
    newest = max(
        r["updated_at"]
        for entity in keys(erp)
        for r in delivered(erp, entity)
        if r["_cdc_op"] == "snapshot"
    )
    assert iso(boundary["committed_at"]) == iso(newest)
    assert snapshot["_ab_cdc_updated_at"] == iso(newest)


def test_what_a_change_looks_like(erp: Settings) -> None:
    execute(erp, item("long", LONG))
    cdc.sync(erp)
    execute(
        erp,
        "begin; update items set unit_cost_brl = 3 where item_id = 'long'; "
        "update items set item_id = 'new' where item_id = '01'; "
        # the clock counts for all of its transaction, wherever it stands
        "select pg_logical_emit_message(true, 'lakehouse.clock', '2024-10-02T06:00:00.250-03:00');"
        "delete from items where item_id = '02'; truncate stock_movements; commit",
        "select pg_logical_emit_message(false, 'lakehouse.clock', '1999-01-01T00:00:00.000Z'); "
        + tower("TODAY"),
    )
    cdc.sync(erp)
    assert_the_snapshot_is_of_its_newest_row(erp)

    toast, gone, came, deleted = [r for r in delivered(erp, "items") if r["_cdc_op"] != "snapshot"]
    at = "2024-10-02T09:00:00.250Z"
    assert (toast["_cdc_unchanged"], toast["description"]) == ("|description|", None)
    assert (gone["_cdc_op"], gone["item_id"], came["item_id"]) == ("delete", "01", "new")
    assert gone["_ab_cdc_lsn"] == came["_ab_cdc_lsn"] < deleted["_ab_cdc_lsn"]
    assert {r["_cdc_commit_lsn"] for r in (toast, gone, came, deleted)} == {gone["_cdc_commit_lsn"]}
    assert {r["_ab_cdc_updated_at"] for r in (toast, gone, came, deleted)} == {at}
    assert [r["_ab_cdc_deleted_at"] for r in (toast, gone, came, deleted)] == [None, at, None, at]
    assert {name for name, value in deleted.items() if value is not None and name[0] != "_"} == {
        "item_id",
        "seq",
    }

    truncated = delivered(erp, "boundaries", "_cdc")[-1]
    assert (truncated["kind"], truncated["entity"]) == ("truncate", "stock_movements")
    assert truncated["row_count"] is None
    assert truncated["committed_at"] == datetime(2024, 10, 2, 9, 0, 0, 250000, UTC)
    assert truncated["commit_lsn"] == deleted["_cdc_commit_lsn"]

    plain = delivered(erp, "towers")[-1]
    assert plain["_ab_cdc_updated_at"] >= iso(plain["updated_at"])


def test_big_transactions_are_held_until_they_commit(erp: Settings) -> None:
    execute(
        erp,
        "alter system set logical_decoding_work_mem = '64kB'",
        "select pg_reload_conf()",
        item("long", LONG),
    )
    cdc.sync(erp)
    with_savepoints, rolled_back = (psycopg2.connect(postgres.erp_dsn(erp)) for _ in range(2))
    big, lost = with_savepoints.cursor(), rolled_back.cursor()
    # The savepoint that is the first to touch the table is rolled back: the server describes
    # the table once, there.
    big.execute("savepoint a; " + movements(1_000, 3_000) + "; rollback to a")
    lost.execute(movements(20_000, 22_000))
    big.execute(movements(3_000, 5_000))
    big.execute("update items set unit_cost_brl = 2 where item_id = 'long'")
    execute(erp, item("between"))
    big.execute("savepoint b; truncate inventory; savepoint c; " + movements(6_000, 8_000))
    big.execute("release c; rollback to b; savepoint d; " + movements(8_000, 9_000))
    big.execute("update stock_movements set note = null where stock_movement_id < 4000")
    lost.execute(movements(23_000, 24_000))

    cdc.sync(erp)  # nothing of what is still open
    assert set(replayed(erp, "items")) >= {("between",)}
    assert len(replayed(erp, "stock_movements")) == 500

    rolled_back.rollback()
    with_savepoints.commit()
    cdc.sync(erp)
    assert differences(erp) == {}
    assert Counter(b["kind"] for b in delivered(erp, "boundaries", "_cdc")) == {"snapshot": 4}
    (streamed,) = ask(erp, "select stream_txns from pg_stat_replication_slots")
    assert streamed["stream_txns"] >= 2, "the server streamed nothing: this test tests nothing"
    for connection in (with_savepoints, rolled_back):
        connection.close()


def live(erp: Settings, worker: int, stop: threading.Event) -> None:
    """Insert, update and delete, a commit each time, with numbers that are this worker's own."""
    connection = psycopg2.connect(postgres.erp_dsn(erp))
    with connection.cursor() as cursor:
        for step in range(1_000_000):
            key = 10_000 * (worker + 1) + step
            cursor.execute(movements(key, key))
            cursor.execute(
                "update stock_movements set note = %s where stock_movement_id = %s",
                (str(step), key - 3),
            )
            cursor.execute("delete from stock_movements where stock_movement_id = %s", (key - 7,))
            connection.commit()
            if stop.is_set():
                break
    connection.close()


def test_commits_during_the_snapshot_are_neither_lost_nor_doubled(erp: Settings) -> None:
    stop = threading.Event()
    before = psycopg2.connect(postgres.erp_dsn(erp))
    before.cursor().execute(item("open when the slot was made"))
    threading.Timer(0.5, before.commit).start()
    workers = [threading.Thread(target=live, args=(erp, number, stop)) for number in range(3)]
    for worker in workers:
        worker.start()
    try:
        synced = cdc.sync(erp)
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    assert synced.snapshot_rows > len(NASTY) + 500
    cdc.sync(erp)
    assert differences(erp) == {}
    rows = delivered(erp, "stock_movements")
    snapshot = {row["stock_movement_id"] for row in rows if row["_cdc_op"] == "snapshot"}
    inserted = {
        row["stock_movement_id"]
        for row in rows
        if row["_cdc_op"] == "upsert" and not str(row["note"]).isdigit()  # updates write a number
    }
    assert inserted
    assert inserted.isdisjoint(snapshot)
    before.close()


def test_a_sync_ends_when_there_is_nothing_to_read(erp: Settings) -> None:
    cdc.sync(erp)
    files = landing.list_files(erp)
    # Past a page of log that is never committed: its end may lie inside a record.
    open_transaction = psycopg2.connect(postgres.erp_dsn(erp))
    open_transaction.cursor().execute(movements(1_000, 1_200))
    for _ in range(2):
        synced = cdc.sync(erp)
        assert (synced.changes, synced.transactions) == (0, 0)
        found = slot(erp)
        assert found is not None
        assert found["confirmed_flush_lsn"] == synced.durable_lsn
    assert landing.list_files(erp) == files
    open_transaction.close()


def test_a_snapshot_of_empty_tables_has_boundaries_and_no_rows(erp: Settings) -> None:
    execute(erp, "truncate items, towers, inventory, stock_movements")
    assert cdc.sync(erp).snapshot_rows == 0
    boundaries = delivered(erp, "boundaries", "_cdc")
    assert {b["entity"]: b["row_count"] for b in boundaries} == dict.fromkeys(
        ("inventory", "items", "stock_movements", "towers"), 0
    )
    assert {file.source for file in landing.list_files(erp)} == {"_cdc"}
