"""`demo truth`: what was true at the end of a past day, and where the change log stood then."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from lakehouse import cdc
from lakehouse import settings as lakehouse_settings
from lakehouse.erp import company, postgres, truth
from lakehouse.errors import RefusedError, SettingsError
from lakehouse.settings import Settings
from tests.integration.living import TABLES, Ground, execute, ground, query

pytestmark = pytest.mark.server
FRIDAY = date(2024, 10, 4)


@pytest.fixture(scope="module")
def shared() -> Iterator[Ground]:
    with ground() as shared:
        yield shared


@pytest.fixture
def erp(shared: Ground) -> Settings:
    erp = shared.empty_erp()
    company.create(erp, scale=0.2)
    return erp


def now(erp: Settings) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table as it is."""
    return {
        table: [row for (row,) in query(erp, f"select to_jsonb(t) from {table} t")]
        for table in TABLES
    }


def same(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> bool:
    one, other = (
        sorted(json.dumps(row, sort_keys=True) for row in rows) for rows in (found, expected)
    )
    return one == other


def test_a_past_day_is_told_as_it_was(erp: Settings) -> None:
    company.advance(erp, days=4)
    then = now(erp)
    company.advance(erp, days=40)
    for table in TABLES:
        assert same(truth.rows(erp, table, FRIDAY), then[table]), table
    # A weekend is as the Friday before it left things.
    assert truth.on(erp, date(2024, 10, 6)) == truth.on(erp, FRIDAY)
    told = truth.on(erp, FRIDAY).tables
    assert {table: found.rows for table, found in told.items()} == {
        table: len(rows) for table, rows in then.items()
    }
    assert told != truth.on(erp).tables


def test_today_is_told_as_it_is_with_the_checksums_of_the_tables(erp: Settings) -> None:
    company.advance(erp, days=30)
    told = truth.on(erp)
    assert told.day == "2024-11-11"
    for table in TABLES:
        checksum = truth.CHECKSUM.format(row="to_jsonb(t)")
        [(rows, expected)] = query(erp, f"select count(*), {checksum} from {table} t")
        assert told.tables[table] == truth.Table(rows, expected), table
    query(erp, "update towers set tower_name = 'x' where tower_type = 'depot'")
    [(tampered,)] = query(erp, f"select {truth.CHECKSUM.format(row='to_jsonb(t)')} from towers t")
    assert told.tables["towers"].checksum != tampered


def test_what_others_change_is_written_down_too(erp: Settings) -> None:
    query(erp, "truncate stock_movements, outages, material_requests")
    query(erp, "insert into suppliers values ('9', 'x', null, 'BR', 'BA', true, now(), now())")
    query(erp, "update suppliers set supplier_id = '8' where supplier_id = '9'")
    query(erp, "delete from outages")
    company.advance(erp, days=1)
    then = now(erp)
    assert all(same(truth.rows(erp, table), then[table]) for table in TABLES)
    opening = truth.on(erp, date(2024, 9, 30)).tables
    assert opening["stock_movements"].rows > truth.on(erp).tables["stock_movements"].rows
    codes = {row["supplier_id"] for row in truth.rows(erp, "suppliers")}
    assert "8" in codes
    assert "9" not in codes


def test_a_days_lsn_parts_its_commits_from_the_next_ones(erp: Settings) -> None:
    query(erp, "select pg_create_logical_replication_slot('truth', 'pgoutput')")
    try:
        company.advance(erp, days=3)
        company.advance(erp, days=5)
        log = query(
            erp,
            "select data from pg_logical_slot_get_binary_changes('truth', null, null, "
            "'proto_version', '1', 'publication_names', 'lakehouse', 'messages', 'true')",
        )
    finally:
        query(erp, "select pg_drop_replication_slot('truth')")
    ends: dict[str, tuple[int, int]] = {}
    clock = ""
    for (message,) in log:
        data = bytes(message)
        if data[:1] == b"M":
            found = re.search(rb"lakehouse\.clock\0....(.{10})", data, re.DOTALL)
            assert found is not None
            clock = found[1].decode()
        if data[:1] == b"C" and clock:  # after flags: where the commit begins, where it ends
            begins, ends_at = (int.from_bytes(data[at : at + 8]) for at in (2, 10))
            first, _ = ends.get(clock, (begins, 0))
            ends[clock], clock = (first, ends_at), ""
    assert len(ends) == 8
    lsns: dict[str, int] = dict(
        query(erp, "select day::text, (lsn - '0/0')::bigint from demo.days")
    )
    days = sorted(ends)
    for day, following in zip(days, days[1:], strict=False):
        assert ends[day][1] <= lsns[day] <= ends[following][0]
    assert lsns["2024-09-30"] <= ends[days[0]][0]


def test_a_day_that_was_not_lived_or_a_table_that_is_not_there_is_refused(erp: Settings) -> None:
    company.advance(erp, days=1)
    with pytest.raises(RefusedError, match="2024-10-02 has not been lived"):
        truth.on(erp, date(2024, 10, 2))
    with pytest.raises(RefusedError, match="2024-09-29 was before the ERP went live"):
        truth.on(erp, date(2024, 9, 29))
    with pytest.raises(SettingsError, match="no table `outage`") as refusal:
        truth.rows(erp, "outage")
    assert refusal.value.hint == "did you mean `outages`?"


def test_the_command_line_tells_it_too(erp: Settings) -> None:
    company.advance(erp, days=2)
    environment = {**lakehouse_settings.export(erp), "ERP_DSN": postgres.erp_dsn(erp)}

    def ask(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "lakehouse", "demo", "truth", *options]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    told = json.loads(ask("--date", "2024-10-01", "--table", "contracts", "--json").stdout)
    assert (told["day"], len(told["rows"])) == ("2024-10-01", 31)
    assert told["lsn"] == truth.on(erp, date(2024, 10, 1)).lsn
    assert "contracts               31 rows" in ask().stdout
    wrong = ask("--table", "contract")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "did you mean `contracts`?" in wrong.stderr


def test_truth_is_neither_published_nor_read_by_the_reader(erp: Settings) -> None:
    reader = as_reader(erp)
    for forbidden in (
        "select * from demo.history",
        "select * from demo.state",
        "update items set item_name = 'x'",
        "delete from outages",
        "create table mine (id int)",
        "create publication mine",
        "truncate stock_movements",
    ):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            query(reader, forbidden)
    rights = query(
        erp,
        "select rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls "
        "from pg_roles where rolname = 'lakehouse_reader'",
    )
    assert rights == [(False, True, False, False, True, False)]


def test_the_reader_reads_a_snapshot_and_what_changed_since(erp: Settings) -> None:
    reader = as_reader(erp)
    try:
        first = cdc.sync(reader)
        assert first.snapshot_rows == sum(len(rows) for rows in now(erp).values())
        company.advance(erp, days=2)
        assert cdc.sync(reader).changes > 20
    finally:
        query(erp, "select pg_drop_replication_slot('lakehouse')")


def test_the_reader_cannot_log_in_until_somebody_says_so(shared: Ground, erp: Settings) -> None:
    execute(shared.server.dsn("postgres"), "alter role lakehouse_reader nologin password null")
    dsn = make_dsn(postgres.erp_dsn(erp), user="lakehouse_reader", password="", passfile="")
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(dsn)


def as_reader(erp: Settings) -> Settings:
    """The same ERP, as whom the change log is to be read."""
    query(erp, "alter role lakehouse_reader login password 'only here'")
    dsn = make_dsn(
        postgres.erp_dsn(erp), user="lakehouse_reader", password="only here", passfile=""
    )
    folder = erp.home.parent / f"reader-{dsn.split('dbname=')[1].split()[0]}"
    folder.mkdir(exist_ok=True)
    return Settings(
        home=folder,
        lake_uri=str(folder),
        engine=erp.engine,
        erp_dsn=dsn,
        warehouse_dsn=erp.warehouse_dsn,
    )
