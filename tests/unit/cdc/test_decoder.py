"""pgoutput's messages, made by hand, in the orders that a server seldom sends them in."""

from __future__ import annotations

import struct
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from lakehouse import landing
from lakehouse.cdc.checks import Table
from lakehouse.cdc.decoder import Catalog, CatalogChangedError, Decoder
from lakehouse.cdc.pending import Landed, Pending
from lakehouse.cdc.state import TableState
from lakehouse.cdc.types import Types
from lakehouse.errors import LakehouseError, RefusedError
from lakehouse.settings import Settings, load

TEXT, NUMERIC_12_2 = (25, -1), (1700, (12 << 16 | 2) + 4)
COLUMNS = {"id": TEXT, "note": TEXT, "cost": NUMERIC_12_2}
ITEMS = 16_400
SAME = object()
"""A long value that the server does not send again."""


class Log:
    """A server's side of the conversation, handed over a few messages at a time."""

    def __init__(self, lake: Settings, at_a_time: int) -> None:
        self.lake = lake
        self.at_a_time = at_a_time
        self.pending = Pending()
        catalog = Catalog(
            Types(), {"items": Table("items", ITEMS, "", (), ("id",))}, frozenset({ITEMS})
        )
        self.decoder = Decoder(self.pending, catalog, 0, lake.home / "streamed")
        self.lsn = 0
        self.xid = b""
        self.waiting: list[tuple[bytes, int]] = []
        self.tables: dict[str, TableState] = {}
        self.counted: list[Landed] = []

    def send(self, payload: bytes, lsn: int | None = None) -> None:
        self.lsn += 10
        self.waiting.append((payload, self.lsn if lsn is None else lsn))
        if len(self.waiting) >= self.at_a_time:
            self.hand_over()

    def hand_over(self) -> None:
        if self.waiting:
            payloads, lsns = zip(*self.waiting, strict=True)
            self.waiting = []
            self.decoder.feed(payloads, lsns)

    def relation(self, columns: dict[str, tuple[int, int]] = COLUMNS, identity: str = "d") -> None:
        described = b"".join(
            bytes([number == 0]) + name.encode() + b"\0" + struct.pack(">Ii", *kind)
            for number, (name, kind) in enumerate(columns.items())
        )
        head = struct.pack(">I", ITEMS) + b"public\0items\0" + identity.encode()
        count = struct.pack(">H", len(columns))
        self.send(b"R" + self.xid + head + count + described, lsn=0)

    def change(self, kind: str, *tuples: tuple[str, tuple[object, ...]]) -> None:
        body = b"".join(mark.encode() + encoded(values) for mark, values in tuples)
        self.send(kind.encode() + self.xid + struct.pack(">I", ITEMS) + body)

    def insert(self, *values: object) -> None:
        self.change("I", ("N", values))

    def begin(self) -> None:
        self.send(b"B" + struct.pack(">QqI", 0, 0, 0))

    def commit(self) -> int:
        end = self.lsn + 11
        self.send(b"C" + struct.pack(">BQQq", 0, end - 1, end, 0), lsn=end)
        return end

    def start(self, xid: int, part: int | None = None) -> None:
        """A part of a big transaction; its changes are those of the transaction `part`."""
        self.send(b"S" + struct.pack(">IB", xid, 1))
        self.xid = struct.pack(">I", part or xid)

    def stop(self) -> None:
        self.xid = b""
        self.send(b"E")

    def stream_commit(self, xid: int) -> None:
        self.send(b"c" + struct.pack(">IBQQq", xid, 0, self.lsn, self.lsn + 1, 0))

    def stream_abort(self, xid: int, part: int) -> None:
        self.send(b"A" + struct.pack(">II", xid, part))

    def landed(self) -> list[dict[str, Any]]:
        self.hand_over()
        self.counted.append(self.pending.land(self.lake, self.tables, 1))
        rows: list[dict[str, Any]] = []
        for file in landing.list_files(self.lake):
            if file.source == "erp":
                rows += pq.read_table(file.path).to_pylist()
        return sorted(rows, key=lambda row: (row["_cdc_commit_lsn"], row["_ab_cdc_lsn"]))


def encoded(values: tuple[object, ...]) -> bytes:
    parts = [struct.pack(">H", len(values))]
    for value in values:
        if value is None:
            parts.append(b"n")
        elif value is SAME:
            parts.append(b"u")
        else:
            text = str(value).encode()
            parts.append(b"t" + struct.pack(">I", len(text)) + text)
    return b"".join(parts)


@pytest.fixture(params=[1, 4, 1_000])
def log(tmp_path: Path, request: pytest.FixtureRequest) -> Log:
    return Log(load({"LAKEHOUSE_HOME": str(tmp_path)}), request.param)


def test_parts_of_big_transactions_mix_and_keep_to_themselves(log: Log) -> None:
    log.start(1, part=11)
    log.relation()  # told of once, in a savepoint that will be rolled back
    log.insert("rolled back", "", "1.00")
    log.stop()
    log.start(2)
    log.insert("aborted", "", "1.00")
    log.stop()
    log.begin()
    log.relation()
    log.insert("plain", "", "1.00")
    log.commit()
    log.start(1)
    log.insert("kept", None, "2.00")
    log.stop()
    log.stream_abort(1, 11)
    log.stream_abort(2, 2)
    assert [row["id"] for row in log.landed()] == ["plain"]
    log.stream_commit(1)
    kept = log.landed()[-1]
    assert (kept["id"], kept["note"]) == ("kept", None)
    assert kept["_cdc_commit_lsn"] > kept["_ab_cdc_lsn"]
    assert log.counted == [Landed(1, 1), Landed(1, 1)]
    assert list(log.lake.home.glob("streamed/*")) == []


def test_a_table_that_changes_its_shape_lands_in_another_file(log: Log) -> None:
    log.begin()
    log.relation()
    log.insert("a", "", "1.00")
    log.relation({"id": TEXT, "remark": TEXT})
    log.insert("b", "r")
    log.relation()  # the first shape again
    log.insert("c", "", "2.00")
    log.commit()
    first, second, third = log.landed()
    assert (first["id"], second["id"], third["id"]) == ("a", "b", "c")
    assert "note" not in second
    assert second["remark"] == "r"
    assert len(landing.list_files(log.lake)) == 2


def test_a_key_that_is_sent_but_did_not_change_deletes_nothing(log: Log) -> None:
    log.begin()
    log.relation()
    # A key that is stored out of line comes as the old one, and as unchanged in the new row.
    log.change("U", ("K", ("key", None, None)), ("N", (SAME, SAME, "3.00")))
    log.change("U", ("K", ("key", None, None)), ("N", ("key", "n", "4.00")))
    log.commit()
    toast, plain = log.landed()
    assert (toast["_cdc_op"], toast["id"], toast["_cdc_unchanged"]) == ("upsert", "key", "|note|")
    assert (plain["_cdc_op"], plain["id"], plain["_cdc_unchanged"]) == ("upsert", "key", None)


def test_what_has_no_end_yet_is_not_landed(log: Log) -> None:
    log.begin()
    log.relation()
    log.insert("whole", "", "1.00")
    end = log.commit()
    log.begin()
    log.insert("half", "", "1.00")
    log.hand_over()
    log.decoder.reached(10_000)  # a keep-alive in the middle moves nothing
    assert log.decoder.position == end
    assert [row["id"] for row in log.landed()] == ["whole"]
    log.commit()
    log.hand_over()
    log.decoder.reached(10_000)
    assert log.decoder.position == 10_000


def test_unchanged_columns_are_named_in_order(log: Log) -> None:
    log.begin()
    log.relation({"id": TEXT, "z": TEXT, "a": TEXT})
    log.change("U", ("N", ("1", SAME, SAME)))
    log.commit()
    (row,) = log.landed()
    assert (row["_cdc_unchanged"], row["z"], row["a"]) == ("|a|z|", None, None)


def test_a_value_that_its_type_cannot_hold_lands_apart_as_text(log: Log) -> None:
    log.begin()
    log.relation()
    for number, cost in enumerate(["1.00", "NaN", "2.00", None, "NaN"]):
        log.insert(f"{number}", "n", cost)
    log.commit()
    rows = {row["id"]: row["cost"] for row in log.landed()}
    assert rows == {"0": Decimal("1.00"), "1": "NaN", "2": Decimal("2.00"), "3": None, "4": "NaN"}
    assert log.counted == [Landed(1, 5)]


def test_a_truncation_of_many_tables_is_a_boundary_of_each(log: Log) -> None:
    log.tables["items"] = TableState("", ((0, 4), (100, 5)), is_complete=True)
    for _ in range(2):
        log.begin()
        log.relation()
        log.send(b"T" + struct.pack(">IBI", 1, 1, ITEMS))
        log.lsn += 100
        log.commit()
    log.start(7)
    log.send(b"T" + log.xid + struct.pack(">IBI", 1, 0, ITEMS))
    log.stop()
    log.start(7, part=70)
    log.send(b"T" + log.xid + struct.pack(">IBI", 1, 0, ITEMS))
    log.stop()
    log.stream_abort(7, 70)
    log.stream_commit(7)
    log.landed()
    assert log.counted == [Landed(3, 3)]
    rows = [pq.read_table(file.path).to_pylist() for file in landing.list_files(log.lake)]
    seqs = sorted(row["seq"] for some in rows for row in some)
    assert [seq[:7] for seq in seqs] == ["0000051", "0000051", "0000051"]


def test_under_full_identity_the_old_row_has_what_is_not_sent_again(log: Log) -> None:
    log.begin()
    log.relation(identity="f")
    log.change("U", ("O", ("a", "long", "1.00")), ("N", ("a", SAME, "2.00")))
    log.change("U", ("O", ("a", "long", "2.00")), ("N", ("b", SAME, "2.00")))
    log.change("D", ("O", ("b", "long", "2.00")))
    log.commit()
    rows = [(row["_cdc_op"], row["id"], row["note"], row["_cdc_unchanged"]) for row in log.landed()]
    moved = sorted(rows[1:3])
    assert rows[0] == ("upsert", "a", "long", None)
    assert moved == [("delete", "a", None, None), ("upsert", "b", "long", None)]
    assert rows[3] == ("delete", "b", None, None)


def test_what_the_catalog_does_not_know_makes_it_be_read_anew(log: Log) -> None:
    log.begin()
    log.at_a_time = 1_000
    log.relation({"id": TEXT, "mood": (20_000, -1)})
    with pytest.raises(CatalogChangedError) as error:
        log.hand_over()
    assert error.value.numbers == {20_000}


def test_a_strange_message_stops_the_reader(log: Log) -> None:
    log.at_a_time = 1_000
    log.send(b"z")
    with pytest.raises(LakehouseError, match="not known: b'z'"):
        log.hand_over()


def test_a_clock_that_is_no_time_stops_the_reader(log: Log) -> None:
    log.begin()
    content = b"yesterday"
    body = struct.pack(">BQ", 1, 5) + b"lakehouse.clock\0" + struct.pack(">I", len(content))
    log.at_a_time = 1_000
    log.send(b"M" + body + content)
    with pytest.raises(LakehouseError, match="yesterday"):
        log.hand_over()


def test_a_table_that_lost_its_replica_identity_is_refused(log: Log) -> None:
    log.begin()
    log.relation(identity="n")
    log.at_a_time = 1_000
    log.insert("a", "", "1.00")
    with pytest.raises(RefusedError, match="primary key"):
        log.hand_over()
