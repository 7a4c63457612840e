"""How long a commit takes to be a row in bronze, by the ERP's clock and the Delta log's."""

from __future__ import annotations

import json
from pathlib import Path

from bench.tasks import MARK
from lakehouse import bronze, duck
from lakehouse.bronze.tables import BATCHES
from lakehouse.settings import Settings


def seconds_to_bronze(lake: Settings) -> tuple[float, int]:
    """The 95th percentile over all rows that carry the mark, and how many there are."""
    with duck.in_memory(lake) as connection:
        duck.load(connection, "delta")
        connection.execute("create table waited (seconds double)")
        for contract in bronze.contracts():
            uri = bronze.table_uri(lake, contract.source, contract.entity)
            if contract.source != "erp":
                continue
            connection.execute(
                "create or replace temp table committed (batch bigint, at_ms bigint)"
            )
            connection.executemany("insert into committed values (?, ?)", _commits(Path(uri)))
            connection.execute(
                f"""
                insert into waited
                select (at_ms - epoch_ms(_cdc_committed_at)) / 1000.0
                from delta_scan(?) inner join committed on batch = _batch_id
                where created_at = {MARK}
                """,
                [uri],
            )
        found = connection.execute(
            "select quantile_disc(seconds, 0.95), count(*) from waited"
        ).fetchone()
    assert found is not None, "an aggregate has a row"
    return found[0], found[1]


def _commits(table: Path) -> list[tuple[int, int]]:
    """Each batch of a table, and when its commit was written."""
    found = []
    for file in table.glob("_delta_log/*.json"):
        actions = [json.loads(line) for line in file.read_text("utf8").splitlines()]
        transactions = [action["txn"] for action in actions if "txn" in action]
        written_ms = int(file.stat().st_mtime * 1000)
        found += [(t["version"], written_ms) for t in transactions if t["appId"] == BATCHES]
    return found
