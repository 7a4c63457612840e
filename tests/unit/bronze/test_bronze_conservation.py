"""Conservation is proven by counting, and a count that is wrong is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from lakehouse import bronze
from lakehouse.bronze import quarantine, replay
from lakehouse.bronze.verify import conservation
from lakehouse.cli.commands import main
from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings, export
from tests.fixtures import airbyte
from tests.unit.bronze.landed import movement, put, table

URI = "erp/stock_movements"


def counted(lake: Settings) -> conservation.Conserved:
    [found] = [one for one in conservation.check(lake) if one.table == URI]
    return found


def deliver(lake: Settings) -> None:
    """Good rows, refused rows, unreadable files, lines of JSON, and the same again."""
    put(lake, table([movement(n, note="\0" if n == 3 else "") for n in range(1, 6)]), "a")
    put(lake, table([movement(6)]), "b")
    put(lake, table([movement(6)]), "the-same-as-b")
    put(lake, b"", "empty")
    put(lake, b"no parquet", "foreign")
    put(lake, table([]), "no-rows")
    stream = Path(lake.landing_uri, URI)
    path = airbyte.write(stream, [], {}, format_="jsonl")
    path.write_bytes(b"{\n\n[]\n")
    bronze.load(lake)


def test_every_delivered_row_is_found(lake: Settings) -> None:
    deliver(lake)
    assert counted(lake) == conservation.Conserved(URI, 7, 0, 5, 3, 2, ())
    put(lake, table([movement(7)]), "late")
    assert counted(lake).waiting_files == 1
    replay.replay(lake)
    Path(lake.landing_uri, URI, "b.parquet").unlink()
    assert counted(lake).problems == ()
    Path(lake.landing_uri, URI, "the-same-as-b.parquet").rename(
        Path(lake.landing_uri, URI, "renamed.parquet")
    )
    bronze.load(lake)
    assert counted(lake).problems == ()


@pytest.mark.parametrize("note", ["", "\0"])
def test_what_is_loaded_meanwhile_is_no_loss(
    lake: Settings, monkeypatch: pytest.MonkeyPatch, note: str
) -> None:
    deliver(lake)
    plain = conservation._Table._read_quarantine

    def late(self: conservation._Table) -> Any:
        if self._contract.name == URI:
            monkeypatch.setattr(conservation._Table, "_read_quarantine", plain)
            put(lake, table([movement(7, note=note)]), "late")
            bronze.load(lake)
        return plain(self)

    monkeypatch.setattr(conservation._Table, "_read_quarantine", late)
    found = counted(lake)
    assert found.problems == ()
    assert (found.bronze_rows, found.quarantined_rows) == (5, 3)


def test_a_table_that_never_rests_is_named(lake: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(lake)
    plain, seen = quarantine.opened, [10]

    def opened(settings: Settings) -> Any:
        seen[0] += 1
        DeltaTable(f"{lake.bronze_uri}/{URI}").alter.set_table_description(f"{seen[0]}")
        return plain(settings)

    monkeypatch.setattr(quarantine, "opened", opened)
    with pytest.raises(LakehouseError, match="stock_movements was changed by others"):
        list(conservation.check(lake))


def _drop_a_row(lake: Settings) -> None:
    [path, *_] = [Path(one) for one in DeltaTable(f"{lake.bronze_uri}/{URI}").file_uris()]
    pq.write_table(pq.read_table(path, partitioning=None).slice(1), path)


def _repeat_a_row(lake: Settings) -> None:
    [path, *_] = [Path(one) for one in DeltaTable(f"{lake.bronze_uri}/{URI}").file_uris()]
    rows = pq.read_table(path, partitioning=None)
    pq.write_table(rows.take([0, *range(len(rows) - 1)]), path)


def _replace_a_file(lake: Settings) -> None:
    """A file whose content bronze says it has, but which has more rows than it took of it."""
    uri = f"{lake.bronze_uri}/{URI}"
    path = put(lake, table([movement(8), movement(9)]), "z")
    log = Path(uri, "_delta_log", f"{DeltaTable(uri).version() + 1:020d}.json")
    import hashlib

    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    log.write_text(json.dumps({"txn": {"appId": sha256, "version": 1}}) + "\n")


def _lose_a_refused_row(lake: Settings) -> None:
    for one in DeltaTable(f"{lake.bronze_uri}/_quarantine").file_uris():
        rows = pq.read_table(one, partitioning=None)
        keep = [n is None or n != 3 for n in rows["source_row"].to_pylist()]
        pq.write_table(rows.filter(keep), one)


DAMAGES: dict[str, tuple[Callable[[Settings], Any], str]] = {
    "a row is gone": (_drop_a_row, "bronze holds 4 rows, and its commits brought 5"),
    "a row is there twice": (_repeat_a_row, "a row of it is in bronze twice"),
    "rows were never taken": (
        _replace_a_file,
        "z.parquet: 2 rows were delivered, 0 are in bronze and 0 in quarantine",
    ),
    "a refused row is gone": (_lose_a_refused_row, "a.parquet: 5 rows were delivered, 4 are"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_lost_or_repeated_is_named(
    lake: Settings,
    damage: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    deliver(lake)
    do, problem = DAMAGES[damage]
    do(lake)
    assert any(problem in one for one in counted(lake).problems), counted(lake).problems
    for name, value in export(lake).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as exit_:
        main(["bronze", "verify", "--landing-only"])
    assert exit_.value.code == 1
    assert problem in capsys.readouterr().err
