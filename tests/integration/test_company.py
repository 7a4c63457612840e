"""The demo company in a real PostgreSQL: the same by seed, alive, and true at every commit."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg2 import errors

from lakehouse import settings as lakehouse_settings
from lakehouse.erp import company, postgres, session
from lakehouse.erp.transaction import Transaction
from lakehouse.errors import LakehouseError, RefusedError
from lakehouse.settings import Settings
from tests.integration.living import TABLES, Ground, ground, hashes, query

pytestmark = pytest.mark.server
ALWAYS_THE_SAME = {"contracts"}  # until somebody revises one
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def shared() -> Iterator[Ground]:
    with ground() as shared:
        yield shared


@pytest.fixture
def erp(shared: Ground) -> Settings:
    return shared.empty_erp()


def test_the_same_seed_gives_the_same_rows_however_the_days_are_asked_for(
    shared: Ground,
) -> None:
    found = []
    for seed, calls in ((7, (6,)), (7, (2, 3, 1)), (8, (6,))):
        erp = shared.empty_erp()
        company.create(erp, seed=seed)
        for days in calls:
            company.advance(erp, days=days)
        assert company.days_lived(erp) == 6
        found.append(hashes(erp))
    assert found[0] == found[1]
    assert all(found[0][table] != found[2][table] for table in {*TABLES} - ALWAYS_THE_SAME)


KILL = """
import os, signal, sys
from lakehouse import settings
from lakehouse.erp import company

calls = 0
original = getattr(company, sys.argv[1])

def dying(*values):
    global calls
    calls += 1
    if calls == int(sys.argv[3]) and sys.argv[2] == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = original(*values)
    if calls == int(sys.argv[3]) and sys.argv[2] == "after":
        os.kill(os.getpid(), signal.SIGKILL)
    return result

setattr(company, sys.argv[1], dying)
company.advance(settings.load(), days=6)
"""


KILLS = (
    ("live", "before", 15),
    ("_end_day", "before", 1),
    ("live", "after", 9),
    ("_end_day", "after", 2),
    ("live", "after", 4),
)


def test_killed_anywhere_and_run_again_nothing_is_repeated_or_skipped(
    shared: Ground, erp: Settings
) -> None:
    company.create(erp)
    for function, moment, call in KILLS:
        dead = subprocess.run(
            [sys.executable, "-c", KILL, function, moment, str(call)],
            env={**lakehouse_settings.export(erp), "ERP_DSN": postgres.erp_dsn(erp)},
            cwd=lakehouse_settings.PROJECT,
            capture_output=True,
            check=False,
        )
        assert dead.returncode == -9, dead.stderr
    assert company.days_lived(erp) < 6
    company.advance(erp, days=6)
    whole = shared.empty_erp()
    company.create(whole)
    company.advance(whole, days=6)
    assert company.days_lived(erp) == company.days_lived(whole) == 6
    assert hashes(erp) == hashes(whole)


def test_a_lost_connection_is_one_clear_error_and_the_next_call_goes_on(
    shared: Ground, erp: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.create(erp)
    with monkeypatch.context() as patched:
        commit = Transaction.commit

        def cut(tx: Transaction, *values: Any, **how: Any) -> None:
            if tx.clock.day == 2:
                pid = tx.cursor.connection.info.backend_pid
                query(erp, "select pg_terminate_backend(%s, 10000)", pid)
            commit(tx, *values, **how)

        patched.setattr(Transaction, "commit", cut)
        with pytest.raises(LakehouseError, match="the ERP (failed|cannot be reached): "):
            company.advance(erp, days=2)
    company.advance(erp, days=2)
    whole = shared.empty_erp()
    company.create(whole)
    company.advance(whole, days=2)
    assert hashes(erp) == hashes(whole)


BALANCE = """
create function balance() returns trigger language plpgsql as $$
declare
    key record := coalesce(new, old);
    booked numeric := coalesce((select sum(quantity) from stock_movements m
        where (m.item_id, m.tower_id) = (key.item_id, key.tower_id)), 0);
    shelf numeric := coalesce((select current_stock from inventory v
        where (v.item_id, v.tower_id) = (key.item_id, key.tower_id)), 0);
begin
    if booked <> shelf then
        raise exception 'stock of % at % is %, its movements %',
            key.item_id, key.tower_id, shelf, booked;
    end if;
    return null;
end $$;
create index on stock_movements (item_id, tower_id);
create constraint trigger balance after insert or update or delete on stock_movements
    deferrable initially deferred for each row execute function balance();
create constraint trigger balance after insert or update or delete on inventory
    deferrable initially deferred for each row execute function balance();
"""


@pytest.mark.parametrize("scale", [0.05, 2])
def test_stock_is_the_sum_of_its_movements_at_every_commit(erp: Settings, scale: float) -> None:
    company.create(erp, scale=scale)
    query(erp, BALANCE)
    with pytest.raises(errors.RaiseException, match="its movements"):
        query(erp, "update inventory set current_stock = current_stock + 1")
    assert company.advance(erp, days=20).transactions > 100
    [(lowest,)] = query(erp, "select min(current_stock) from inventory")
    assert lowest >= 0


AUDIT = """
create table audit (
    n bigserial, xid bigint default txid_current(), "table" text, op text, old jsonb, new jsonb
);
create function audit() returns trigger language plpgsql as $$
begin
    insert into audit ("table", op, old, new) values (tg_table_name, tg_op, to_jsonb(old),
        to_jsonb(new));
    return null;
end $$;
"""
AUDITED = """
create trigger audit after insert or update or delete on {table}
for each row execute function audit()
"""
SEEN = {
    "updates of every table": """
        select count(distinct "table") = 13 from audit where op = 'UPDATE'""",
    "new rows in every table but those of the parties": """
        select count(distinct "table") = 11 from audit where op = 'INSERT'""",
    "deletes in each table that is ever corrected by one": """
        select array_agg(distinct "table" order by "table") = array['inventory', 'item_suppliers',
        'items', 'orders', 'stock_movements', 'tower_contracts', 'towers']
        from audit where op = 'DELETE'""",
    "a change that changes nothing": "select count(*) > 0 from audit where old = new",
    "a transfer in one transaction": """
        select count(*) > 0 and bool_and(two) from (
            select count(*) % 2 = 0 and sum((new ->> 'quantity')::numeric) = 0 as two from audit
            where op = 'INSERT' and new ->> 'movement_type' = 'transfer' group by xid) t""",
    "every type of movement": """
        select count(distinct new ->> 'movement_type') = 5 from audit where op = 'INSERT'""",
    "a new price, a new name and a new store": """
        select bool_or(old ->> 'unit_cost_brl' <> new ->> 'unit_cost_brl')
        and bool_or(old ->> 'tower_name' <> new ->> 'tower_name')
        and bool_or(old ->> 'served_by_tower_id' <> new ->> 'served_by_tower_id')
        from audit where op = 'UPDATE'""",
    "a site deleted and typed in again in one transaction": """
        select count(*) > 0 from audit d join audit i using (xid, "table")
        where d."table" = 'towers' and d.op = 'DELETE' and i.op = 'INSERT' and i.n > d.n
        and d.old ->> 'tower_id' = i.new ->> 'tower_id'""",
    "an item deleted, and back in a later transaction": """
        select count(*) > 0 from audit d join audit i using ("table")
        where d."table" = 'items' and d.op = 'DELETE' and i.op = 'INSERT' and i.xid > d.xid
        and d.old ->> 'item_id' = i.new ->> 'item_id'""",
    "a row changed three times in one transaction": """
        select max(changes) >= 3 from (select count(*) as changes from audit
        where "table" = 'items' and op = 'UPDATE' group by xid, new ->> 'item_id') t""",
    "an old movement corrected and its stock in the same transaction": """
        select count(*) > 0 from audit m join audit v using (xid)
        where m."table" = 'stock_movements' and m.op = 'UPDATE' and v."table" = 'inventory'
        and (m.new ->> 'quantity')::numeric - (m.old ->> 'quantity')::numeric
        = (v.new ->> 'current_stock')::numeric - (v.old ->> 'current_stock')::numeric
        and (m.new ->> 'updated_at')::timestamptz - (m.new ->> 'created_at')::timestamptz
        > interval '1 day'""",
    "a movement booked days after it took place": """
        select count(*) > 0 from audit where "table" = 'stock_movements'
        and (new ->> 'created_at')::timestamptz - (new ->> 'moved_at')::timestamptz
        > interval '1 day'""",
    "a long text left as it is by a later update, out of the row": """
        select count(*) > 0 from audit join items i on i.item_id = new ->> 'item_id'
        where old ->> 'description' = new ->> 'description' and old <> new
        and pg_column_toast_chunk_id(i.description) is not null""",
    "an item's code changed, and its long text left as it is": """
        select count(*) > 0 from audit where "table" = 'items' and op = 'UPDATE'
        and old ->> 'item_id' <> new ->> 'item_id'
        and length(new ->> 'description') > 9000""",
    "a key that is changed in a table of pairs": """
        select count(*) > 0 from audit where "table" = 'tower_contracts' and op = 'UPDATE'
        and old ->> 'contract_id' <> new ->> 'contract_id'""",
    "a purchase that gets its requisition later": """
        select count(*) > 0 from audit where "table" = 'orders' and op = 'UPDATE'
        and old ->> 'requested_date' is null and (new ->> 'requested_date')::date
        > (new ->> 'ordered_date')::date""",
    "notes that are null, empty and neither": """
        select count(distinct coalesce(nullif(new ->> 'note', 'urgente'), 'null')) >= 3
        and bool_or(new ->> 'note' = '') and bool_or(new ->> 'note' is null)
        from audit where "table" = 'stock_movements' and op = 'INSERT'""",
    "a row never made before the one before it": """
        select count(*) = 0 from (select (new ->> 'created_at')::timestamptz
        < lag((new ->> 'created_at')::timestamptz) over (order by n) as back
        from audit where op = 'INSERT') t where back""",
}


def test_seventy_days_hold_everything_that_an_erp_does(erp: Settings) -> None:
    company.create(erp)
    query(erp, AUDIT + ";".join(AUDITED.format(table=table) for table in TABLES))
    company.advance(erp, days=70)
    seen = {what: query(erp, sql) for what, sql in SEEN.items()}
    assert seen == dict.fromkeys(SEEN, [(True,)])


def test_each_transaction_begins_with_the_clock_that_stamps_its_rows(erp: Settings) -> None:
    company.create(erp)
    query(erp, AUDIT + ";".join(AUDITED.format(table=table) for table in TABLES))
    query(erp, "select pg_create_logical_replication_slot('clock', 'pgoutput')")
    try:
        company.advance(erp, days=8)
        log = query(
            erp,
            "select xid::text::bigint, data from pg_logical_slot_get_binary_changes('clock', "
            "null, null, 'proto_version', '1', 'publication_names', 'lakehouse', "
            "'messages', 'true')",
        )
    finally:
        query(erp, "select pg_drop_replication_slot('clock')")
    clocks = {}
    for (_, before), (xid, message) in itertools.pairwise(log):
        if bytes(message)[:1] in b"IUD":
            assert xid in clocks
        if bytes(message)[:1] == b"M":
            assert bytes(before)[:1] == b"B"
            text = re.search(rb"lakehouse\.clock\0....(.+)", bytes(message), re.DOTALL)
            assert text is not None
            clocks[xid] = text[1].decode()
    stamped = query(
        erp,
        "select distinct xid, to_char((new ->> 'updated_at')::timestamptz at time zone 'utc', "
        '\'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"\') from audit '
        # Without the rows that follow a changed code: they keep their own time.
        "where new ->> 'updated_at' is distinct from old ->> 'updated_at' and new is not null",
    )
    assert len(stamped) > 50
    assert set(stamped) <= set(clocks.items())


def test_the_erp_says_what_its_tables_and_columns_are_and_publishes_them(erp: Settings) -> None:
    company.create(erp)
    silent = query(
        erp,
        "select attrelid::regclass, attname from pg_attribute join pg_class c on c.oid = attrelid "
        "where relnamespace = 'public'::regnamespace and relkind = 'r' and attnum >= 0 "
        "and (col_description(attrelid, attnum) is null or obj_description(c.oid) is null)",
    )
    assert silent == []
    published = query(
        erp, "select tablename, rowfilter from pg_publication_tables where pubname = 'lakehouse'"
    )
    assert sorted(published) == sorted((table, None) for table in TABLES)


def test_a_company_is_made_once(erp: Settings) -> None:
    assert not company.exists(erp)
    company.create(erp)
    before = hashes(erp)
    with pytest.raises(RefusedError, match="already holds a demo company"):
        company.create(erp, seed=2)
    assert company.exists(erp)
    assert hashes(erp) == before


def test_somebody_elses_erp_is_left_alone(erp: Settings) -> None:
    query(erp, "create table stock_movements (mine text)")
    with pytest.raises(RefusedError, match='relation "stock_movements" already exists'):
        company.create(erp)
    assert query(erp, "select to_regclass('items')::text, to_regnamespace('demo')::text") == [
        (None, None)
    ]


def test_without_a_company_no_day_is_lived(erp: Settings) -> None:
    with pytest.raises(RefusedError, match="no demo company"):
        company.advance(erp, days=1)


def test_two_processes_do_not_live_the_same_days(
    erp: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.create(erp)
    monkeypatch.setattr(session, "LOCK_TIMEOUT", "50ms")
    with session.playing(erp), pytest.raises(RefusedError, match="another process"):
        company.advance(erp, days=1)
    assert company.days_lived(erp) == 0
