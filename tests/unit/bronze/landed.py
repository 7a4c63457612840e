"""Landing files in Airbyte's layout, written without our writer so that its errors show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable

from lakehouse.settings import Settings

Row = dict[str, Any]
UTC_TIME = pa.timestamp("us", "UTC")
MORNING = datetime(2024, 10, 1, 11, 30, tzinfo=UTC)
AIRBYTE = (
    ("_airbyte_raw_id", pa.string()),
    ("_airbyte_extracted_at", UTC_TIME),
    ("_airbyte_generation_id", pa.int64()),
    ("_airbyte_meta", pa.struct([("sync_id", pa.int64()), ("changes", pa.list_(pa.string()))])),
)
MOVEMENT = (
    ("stock_movement_id", pa.int64()),
    ("item_id", pa.string()),
    ("tower_id", pa.string()),
    ("movement_type", pa.string()),
    ("quantity", pa.decimal128(14, 3)),
    ("unit_cost_brl", pa.decimal128(12, 2)),
    ("moved_at", UTC_TIME),
    ("note", pa.string()),
    ("created_at", UTC_TIME),
    ("updated_at", UTC_TIME),
)
AIRBYTE_CDC = (
    ("_ab_cdc_lsn", pa.int64()),
    ("_ab_cdc_updated_at", pa.string()),
    ("_ab_cdc_deleted_at", pa.string()),
)
OUR_CDC = (
    ("_cdc_commit_lsn", pa.int64()),
    ("_cdc_op", pa.string()),
    ("_cdc_unchanged", pa.string()),
)
MOVEMENTS = pa.schema([*AIRBYTE, *MOVEMENT, *AIRBYTE_CDC, *OUR_CDC])
AIRBYTE_MOVEMENTS = pa.schema([*AIRBYTE, *MOVEMENT, *AIRBYTE_CDC])
VOLATILE = {"_batch_id", "_loaded_at", "_load_date"}


def movement(number: int, **other: Any) -> Row:
    """A movement as the embedded reader lands it."""
    return {
        "_airbyte_raw_id": f"00000000-0000-4000-8000-{number:012d}",
        "_airbyte_extracted_at": MORNING + timedelta(hours=2),
        "_airbyte_generation_id": 1,
        "_airbyte_meta": {"sync_id": 7, "changes": []},
        "stock_movement_id": number,
        "item_id": "010825",
        "tower_id": "BAFRD017",
        "movement_type": "issue",
        "quantity": Decimal("-2.500"),
        "unit_cost_brl": Decimal("10.25"),
        "moved_at": MORNING - timedelta(days=1),
        "note": "",
        "created_at": MORNING,
        "updated_at": MORNING,
        "_ab_cdc_lsn": 24685512 + number,
        "_ab_cdc_updated_at": "2024-10-01T11:30:00.123Z",
        "_ab_cdc_deleted_at": None,
        "_cdc_commit_lsn": 24690000,
        "_cdc_op": "upsert",
        "_cdc_unchanged": None,
    } | other


def table(rows: Iterable[Row], schema: pa.Schema = MOVEMENTS) -> pa.Table:
    """Rows as a table of this schema; what a schema does not name is left out."""
    return pa.Table.from_pylist(list(rows), schema)


def put(
    lake: Settings, content: pa.Table | bytes, name: str, entity: str = "erp/stock_movements"
) -> Path:
    """Deliver a file."""
    path = Path(lake.landing_uri, entity, f"{name}.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        pq.write_table(content, path, compression="zstd")
    return path


def in_bronze(lake: Settings, entity: str = "erp/stock_movements") -> list[Row]:
    """The rows of a bronze table, in a fixed order."""
    return sorted(_rows(lake, entity), key=lambda row: (row["_source_file"], row["_source_row"]))


def in_quarantine(lake: Settings) -> list[Row]:
    """The rows of the quarantine, in a fixed order."""
    return sorted(
        _rows(lake, "_quarantine"), key=lambda row: (row["source_file"], row["source_row"] or 0)
    )


def batches(lake: Settings, entity: str = "erp/stock_movements") -> list[int]:
    """The batch ids of a bronze table."""
    return sorted({row["_batch_id"] for row in in_bronze(lake, entity)})


def without(rows: Sequence[Row], names: Iterable[str]) -> Counter[str]:
    """Rows as a bag to compare, without these columns."""
    left_out = set(names)
    kept: list[Mapping[str, Any]] = [
        {name: value for name, value in row.items() if name not in left_out} for row in rows
    ]
    return Counter(repr(sorted(row.items())) for row in kept)


def _rows(lake: Settings, table_name: str) -> list[Row]:
    rows: list[Row] = DeltaTable(f"{lake.bronze_uri}/{table_name}").to_pyarrow_table().to_pylist()
    return rows
