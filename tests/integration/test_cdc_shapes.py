"""Types, shapes and identities of tables: whatever they are or become, values stay exact."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse import cdc, landing
from lakehouse.erp import postgres
from lakehouse.settings import Settings
from tests.integration.cdc_replay import (
    ask,
    delivered,
    differences,
    execute,
    lake_on,
    slot,
)
from tests.integration.cdc_types import EXACT, SCHEMA, every_type

# One server a file, so one worker a file.
pytestmark = [pytest.mark.server, pytest.mark.xdist_group(__name__)]


@pytest.fixture
def erp(server: Settings) -> Iterator[Settings]:
    with lake_on(server, SCHEMA) as settings:
        yield settings
        execute(settings, "drop type if exists mood cascade")


def payload(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name[0] != "_" and name != "seq"}


def test_a_value_is_the_same_by_snapshot_by_stream_and_in_the_erp(erp: Settings) -> None:
    execute(erp, every_type(1), "insert into every_type (id) values (2)")
    cdc.sync(erp)
    execute(erp, "update every_type set id = id + 10", every_type(1))
    cdc.sync(erp)
    assert differences(erp) == {}
    rows = delivered(erp, "every_type")
    by_op = {(row["_cdc_op"], row["id"]): row for row in rows}
    snapshot, stream = by_op["snapshot", 1], by_op["upsert", 1]
    assert payload(snapshot) == payload(stream)
    assert {name: snapshot[name] for name in EXACT} == EXACT
    assert {name for name, value in payload(by_op["upsert", 12]).items() if value is not None} == {
        "id"
    }


def test_what_arrow_cannot_say_comes_apart_as_text_and_is_lost_to_nobody(erp: Settings) -> None:
    strange = {
        "price": "NaN",
        "at": "infinity",
        "local": "-infinity",
        "day": "0044-03-15 BC",
        "huge": "NaN",
    }
    columns, values = ", ".join(strange), ", ".join(f"'{value}'" for value in strange.values())
    insert = f"insert into every_type (id, {columns}) values ({{}}, {values})"
    execute(erp, every_type(1), insert.format(2), "insert into every_type (id) values (3)")
    cdc.sync(erp)
    execute(erp, insert.format(12), every_type(11), "insert into every_type (id) values (13)")
    execute(erp, "insert into every_type (id, price) values (14, 'NaN')")
    assert cdc.sync(erp).changes == 4
    assert differences(erp) == {}
    by_id = {row["id"]: row for row in delivered(erp, "every_type")}
    for number in (2, 12):
        assert {name: by_id[number][name] for name in strange} == strange
    assert by_id[14]["price"] == "NaN"
    assert by_id[14]["at"] is None
    assert by_id[11]["price"] == Decimal("1.50")
    (boundary,) = [b for b in delivered(erp, "boundaries", "_cdc") if b["entity"] == "every_type"]
    assert boundary["row_count"] == 3


def test_numbers_of_every_length_are_exact_in_a_snapshot(erp: Settings) -> None:
    shapes = [(1, 0), (2, 2), (4, 4), (5, 0), (8, 3), (12, 2), (14, 3), (15, 1), (16, 8), (16, 0)]
    wider = [(13, 5), (17, 0), (18, 9), (38, 4)]  # these come as text
    names = {(p, s): f"n_{p}_{s}" for p, s in shapes + wider}
    columns = ", ".join(f"{name} numeric({p}, {s})" for (p, s), name in names.items())
    # Nothing, zero, the longest of all, and any count of digits with zeros at their end.
    values = ", ".join(
        f"case i % 8 when 0 then null when 1 then 0 when 2 then {'9' * p}"
        f" else sign(random() - 0.5)::numeric"
        f" * (random(1, rpad('1', 2 + i % {p}, '0')::numeric - 1)"
        f" * rpad('1', 1 + i % 6, '0')::numeric % 1e{p}) end * 1e-{s}"
        for p, s in names
    )
    execute(
        erp,
        f"create table numbers (id int primary key, {columns}, day date, at timestamptz, r real)",
        f"insert into numbers select i, {values}, date '0001-01-01' + i * 1825,"
        " timestamptz '9999-12-31 23:59:59.999999+00' - i * interval '4 years 1 hour 7 us',"
        " case i when 1 then 'NaN' when 2 then '-infinity' else random() end"
        " from generate_series(0, 2000) i",
        "alter publication lakehouse add table numbers",
    )
    cdc.sync(erp)
    assert differences(erp) == {}
    (file,) = [one.path for one in landing.list_files(erp) if one.entity == "numbers"]
    schema = pq.read_schema(file)
    assert {name: schema.field(name).type for name in names.values()} == {
        name: pa.decimal128(p, s) for (p, s), name in names.items()
    }


def test_a_table_that_changes_its_shape_between_and_within_transactions(erp: Settings) -> None:
    execute(erp, every_type(1), "insert into toasted values ('a', 'n', 'o', 1)")
    cdc.sync(erp)
    execute(
        erp,
        "insert into toasted values ('b', 'n', 'o', 2)",
        "alter table toasted add extra mood",
        "update toasted set extra = 'sad' where id = 'b'",
        "begin; alter table toasted rename n to number; update toasted set number = 3;"
        "alter table toasted alter number type bigint; insert into toasted values ('c', '', '', 4);"
        "alter table toasted drop note; update toasted set number = 5 where id = 'a'; commit",
        "begin; alter table toasted add gone int; insert into toasted values ('d'); rollback",
        "create domain late as numeric(7, 1)",
        "alter table toasted add late late",
        "update toasted set late = 1.5",
    )
    cdc.sync(erp)
    # The rename left no change of row a before it was updated: what counts is the last row.
    assert differences(erp) == {}
    last = delivered(erp, "toasted")[-1]
    assert last["late"] == Decimal("1.5"), "a domain made after the reader's last look"
    assert "note" not in payload(landed_rows(erp, "toasted")[-1])


def landed_rows(erp: Settings, entity: str) -> list[dict[str, Any]]:
    files = [file.path for file in landing.list_files(erp) if file.entity == entity]
    rows = [row for path in files for row in pq.read_table(path).to_pylist()]
    return sorted(rows, key=lambda row: (row["_cdc_commit_lsn"], row["_ab_cdc_lsn"]))


LONG = "repeat(md5(random()::text), 400)"


@pytest.mark.parametrize("identity", ["default", "full", "using index toasted_pkey"])
def test_long_values_that_are_not_sent_again(erp: Settings, identity: str) -> None:
    execute(
        erp,
        f"alter table toasted replica identity {identity}",
        f"insert into toasted values ('a', {LONG}, {LONG}, 1), ('b', {LONG}, null, 1)",
    )
    cdc.sync(erp)
    execute(
        erp,
        "update toasted set n = 2",
        f"update toasted set note = {LONG}, n = 3 where id = 'a'",
        "update toasted set id = 'c' where id = 'a'",  # the key moves, the long values stay
        "update toasted set id = 'a', n = 4 where id = 'c'",
        "delete from toasted where id = 'b'",
    )
    cdc.sync(erp)
    assert differences(erp) == {}
    marks = {row["_cdc_unchanged"] for row in delivered(erp, "toasted")} - {None}
    assert marks == (set() if identity == "full" else {"|note|other|", "|note|", "|other|"})


def test_an_identity_that_changes_in_mid_stream(erp: Settings) -> None:
    execute(erp, f"insert into toasted values ('a', {LONG}, {LONG}, 1)")
    cdc.sync(erp)
    execute(
        erp,
        "update toasted set n = 2",
        "alter table toasted replica identity full",
        "update toasted set n = 3",
        "update toasted set id = 'b'",
        "alter table toasted replica identity default",
        "update toasted set n = 4",
    )
    cdc.sync(erp)
    assert differences(erp) == {}


def test_a_partitioned_table_is_one_table(erp: Settings) -> None:
    execute(erp, "insert into parted select i, i % 3, 'n' || i from generate_series(1, 30) i")
    assert cdc.sync(erp).snapshot_rows == 30
    execute(erp, "update parted set part = 1 where id < 5", "delete from parted where part = 2")
    cdc.sync(erp)
    assert differences(erp) == {}


def test_truncate_cascade_is_a_boundary_of_every_table_it_empties(erp: Settings) -> None:
    execute(
        erp,
        "create table child (id int primary key, up text references toasted)",
        "alter publication lakehouse add table child",
        "insert into toasted values ('a'); insert into child values (1, 'a')",
    )
    cdc.sync(erp)
    execute(erp, "begin; truncate toasted cascade; insert into toasted values ('b'); commit")
    cdc.sync(erp)
    assert differences(erp) == {}
    truncated = [b for b in delivered(erp, "boundaries", "_cdc") if b["kind"] == "truncate"]
    assert {b["entity"] for b in truncated} == {"toasted", "child"}
    assert len({b["seq"] for b in truncated}) == 1


def test_a_prepared_transaction_is_delivered_when_it_is_committed(
    server: Settings, erp: Settings
) -> None:
    execute(server, "alter system set max_prepared_transactions = 5")
    execute(server, "alter system set logical_decoding_work_mem = '64kB'")
    postgres.down(server)
    postgres.up(server)
    cdc.sync(erp)
    for name, end in (("kept", "commit"), ("dropped", "rollback")):
        many = f"select '{name}' || i, {LONG} from generate_series(1, 300) i"
        execute(erp, f"begin; insert into toasted {many}; prepare transaction '{name}'")
        assert cdc.sync(erp).changes == 0
        execute(erp, f"{end} prepared '{name}'")
        assert cdc.sync(erp).changes == (300 if end == "commit" else 0)
    assert differences(erp) == {}
    assert slot(erp) is not None
    (streamed,) = ask(erp, "select stream_txns from pg_stat_replication_slots")
    assert streamed["stream_txns"] >= 2, "nothing was streamed: this test tests nothing"


def test_seq_is_the_same_whether_streamed_or_not(erp: Settings) -> None:
    execute(
        erp,
        "alter system set logical_decoding_work_mem = '64MB'",
        "select pg_reload_conf()",
    )
    cdc.sync(erp)
    execute(erp, "select pg_create_logical_replication_slot('other', 'pgoutput')")
    execute(
        erp,
        "begin; savepoint a; insert into toasted values ('gone'); rollback to a;"
        "insert into toasted select i::text, md5(i::text) from generate_series(1, 2000) i; commit",
    )
    cdc.sync(erp)
    whole = [(row["id"], row["seq"], row["_cdc_commit_lsn"]) for row in delivered(erp, "toasted")]
    query = """
        select lsn - '0/0' as lsn, get_byte(data, 0) as kind
        from pg_logical_slot_get_binary_changes('other', null, null, 'proto_version', '2',
            'publication_names', 'lakehouse', 'streaming', 'on')
    """
    connection = psycopg2.connect(postgres.erp_dsn(erp))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("set logical_decoding_work_mem = '64kB'")
        cursor.execute(query)
        messages = cursor.fetchall()
        cursor.execute("select pg_drop_replication_slot('other')")
    connection.close()
    assert ord("S") in {kind for _, kind in messages}, "nothing was streamed"
    streamed = [int(lsn) for lsn, kind in messages if kind == ord("I")]
    assert len(whole) == 2000
    # Row 'gone' was streamed too, before its savepoint was rolled back, or left out at once.
    assert [int(seq[-19:]) for _, seq, _ in whole] == streamed[-2000:]
