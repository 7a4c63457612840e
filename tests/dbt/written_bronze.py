"""Bronze tables written by hand, so that the models are not tested through our own loader."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from lakehouse import bronze, duck
from lakehouse.settings import Settings

Row = dict[str, Any]

TEXT, INTEGER, INSTANT = pa.string(), pa.int64(), pa.timestamp("us", "UTC")
LOADED = {
    "_airbyte_extracted_at": INSTANT,
    "_batch_id": INTEGER,
    "_source_file": TEXT,
    "_source_row": INTEGER,
    "_loaded_at": INSTANT,
    "_load_date": pa.date32(),
}
CDC = {
    "_cdc_seq": TEXT,
    "_cdc_op": TEXT,
    "_cdc_lsn": INTEGER,
    "_cdc_commit_lsn": INTEGER,
    "_cdc_committed_at": INSTANT,
    "_cdc_unchanged": TEXT,
}
ENTITIES: Mapping[str, Mapping[str, pa.DataType]] = {
    contract.name: {
        **{column.name: column.kind.stored for column in contract.columns},
        **(CDC if contract.delivers == "changes" else {}),
        **LOADED,
    }
    for contract in bronze.contracts()
}
"""The columns of each bronze table, in order, as its contract has them."""

DAY_ONE = datetime(2024, 10, 1, 12, tzinfo=UTC)
LOADED_AT = datetime(2024, 12, 1, tzinfo=UTC)


def schema(table: str) -> pa.Schema:
    """The Arrow schema of a bronze table."""
    return pa.schema(list(ENTITIES[table].items()))


def start_anew(settings: Settings) -> None:
    """No warehouse, and every table empty, as `bronze load` leaves a lake without deliveries."""
    duck.drop(settings)
    shutil.rmtree(settings.bronze_uri, ignore_errors=True)
    for table in ENTITIES:
        DeltaTable.create(_path(settings, table), schema(table), partition_by=["_load_date"])


def deliver(settings: Settings, rows: Mapping[str, Sequence[Row]]) -> None:
    """One batch: append the rows of each table that has some."""
    for table, delivered in rows.items():
        if delivered:
            batch = _newest_batch(settings, table) + 1
            arrow = pa.Table.from_pylist(
                [_loaded(row, batch, number) for number, row in enumerate(delivered)],
                schema=schema(table),
            )
            write_deltalake(_path(settings, table), arrow, mode="append")


def instant(day: float) -> datetime:
    """A point in the test's own time: so many days after the first."""
    return DAY_ONE + timedelta(days=day)


def seq(lsn: int, *, generation: int = 1, phase: int = 1) -> str:
    """The place of a change in the source's order."""
    return f"{generation:06d}{phase}{lsn:019d}"


def change(lsn: int, op: str = "upsert", *, day: float | None = None, **values: Any) -> Row:
    """A delivered change: the entity's columns as given, the rest null, committed on that day."""
    generation = values.pop("generation", 1)
    committed_at = instant(lsn / 10 if day is None else day)
    return {
        "created_at": None if op == "delete" else DAY_ONE,
        "updated_at": None if op == "delete" else committed_at,
        **{name: Decimal(v) if isinstance(v, float) else v for name, v in values.items()},
        "_cdc_seq": seq(lsn, generation=generation, phase=0 if op == "snapshot" else 1),
        "_cdc_op": op,
        "_cdc_lsn": lsn,
        "_cdc_commit_lsn": lsn,
        "_cdc_committed_at": committed_at,
    }


def boundary(entity: str, lsn: int, kind: str, rows: int | None = None, generation: int = 1) -> Row:
    """A snapshot or a TRUNCATE of a table of the ERP."""
    return {
        "source": "erp",
        "entity": entity,
        "seq": seq(lsn, generation=generation, phase=0 if kind == "snapshot" else 1),
        "kind": kind,
        "committed_at": instant(lsn / 10),
        "commit_lsn": lsn,
        "row_count": rows,
    }


def _loaded(row: Row, batch: int, number: int) -> Row:
    return {
        "_airbyte_extracted_at": LOADED_AT,
        **row,
        "_batch_id": batch,
        "_source_file": f"batch_{batch}.parquet",
        "_source_row": number,
        "_loaded_at": LOADED_AT + timedelta(minutes=batch),
        "_load_date": date(2024, 12, 1),
    }


def _newest_batch(settings: Settings, table: str) -> int:
    batches = DeltaTable(_path(settings, table)).to_pyarrow_table(columns=["_batch_id"])
    return max(batches["_batch_id"].to_pylist(), default=0)


def _path(settings: Settings, table: str) -> str:
    return f"{settings.bronze_uri}/{table}"
