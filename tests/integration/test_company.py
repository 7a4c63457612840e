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
from tests.integration.company_audit import BALANCE, SEEN, write_down_every_change
from tests.integration.living import TABLES, Ground, ground, hashes, query

pytestmark = pytest.mark.server
ALWAYS_THE_SAME = {"contracts"}  # until somebody revises one


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


@pytest.mark.parametrize("scale", [0.05, 2])
def test_stock_is_the_sum_of_its_movements_at_every_commit(erp: Settings, scale: float) -> None:
    company.create(erp, scale=scale)
    query(erp, BALANCE)
    with pytest.raises(errors.RaiseException, match="its movements"):
        query(erp, "update inventory set current_stock = current_stock + 1")
    assert company.advance(erp, days=20).transactions > 100
    [(lowest,)] = query(erp, "select min(current_stock) from inventory")
    assert lowest >= 0


def test_seventy_days_hold_everything_that_an_erp_does(erp: Settings) -> None:
    company.create(erp)
    write_down_every_change(erp)
    company.advance(erp, days=70)
    seen = {what: query(erp, sql) for what, sql in SEEN.items()}
    assert seen == dict.fromkeys(SEEN, [(True,)])


def test_each_transaction_begins_with_the_clock_that_stamps_its_rows(erp: Settings) -> None:
    company.create(erp)
    write_down_every_change(erp)
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
