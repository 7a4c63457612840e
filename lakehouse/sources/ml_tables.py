"""The Parquet files of a delivery of forecasts, brought into the types of bronze's contracts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lakehouse.sources.ml_metadata import Metadata

FORECASTS, QUANTILES = "forecasts.parquet", "quantiles.parquet"
AMOUNT, SHARE = pa.decimal128(18, 6), pa.decimal128(7, 6)
FORECAST_COLUMNS = {
    "item_id": pa.string(),
    "tower_id": pa.string(),
    "date": pa.date32(),
    "forecasted_demand": AMOUNT,
    "ci_lower": AMOUNT,
    "ci_upper": AMOUNT,
    "model_type": pa.string(),
}
QUANTILE_COLUMNS = {
    "item_id": pa.string(),
    "tower_id": pa.string(),
    "cutoff_date": pa.date32(),
    "protection_days": pa.int32(),
    "quantile": SHARE,
    "value": AMOUNT,
}
MAY_BE_NULL = {"tower_id", "ci_lower", "ci_upper", "model_type"}


def forecasts(path: Path, metadata: Metadata) -> pa.Table:
    """The forecasts, or ValueError that names the column and what is wrong with it."""
    table = _read(path, FORECAST_COLUMNS)
    after = pc.subtract(table["date"].cast(pa.int32()), metadata.cutoff_date.toordinal() - _EPOCH)
    last = metadata.cutoff_date + timedelta(days=metadata.horizon)
    _require(path, pc.greater(after, 0), f"date is not after the cutoff {metadata.cutoff_date}")
    _require(path, pc.less_equal(table["date"], last), f"date is beyond the horizon, {last}")
    starts = [1 + day for day in range(0, metadata.horizon, metadata.bucket_days)]
    _require(path, pc.is_in(after, pa.array(starts, pa.int32())), "date begins no week")
    _require_unique(path, table, ["item_id", "tower_id", "date"])
    return _named(table, metadata)


def quantiles(path: Path, metadata: Metadata) -> pa.Table:
    """The quantiles, or ValueError that names the column and what is wrong with it."""
    table = _read(path, QUANTILE_COLUMNS)
    same = pc.equal(table["cutoff_date"], metadata.cutoff_date)
    _require(path, same, f"cutoff_date is not {metadata.cutoff_date}")
    _require(path, pc.greater(table["protection_days"], 0), "protection_days is not above 0")
    share = table["quantile"]
    between = pc.and_(pc.greater(share, Decimal(0)), pc.less(share, Decimal(1)))
    _require(path, between, "quantile is not between 0 and 1")
    _require_unique(path, table, ["item_id", "tower_id", "protection_days", "quantile"])
    return _named(table.drop_columns(["cutoff_date"]), metadata)


_EPOCH = 719_163
"""The ordinal of 1970-01-01."""


def _read(path: Path, columns: dict[str, pa.DataType]) -> pa.Table:
    if not path.exists():
        raise ValueError(f"{path.name} is missing")
    try:
        table = pq.read_table(path, partitioning=None)
    except pa.ArrowException as error:
        raise ValueError(f"{path.name} cannot be read: {error}") from error
    if sorted(table.column_names) != sorted(columns):
        raise ValueError(
            f"{path.name} has columns {', '.join(table.column_names)} instead of "
            f"{', '.join(columns)}"
        )
    return pa.table({name: _cast(path, table, name, kind) for name, kind in columns.items()})


def _cast(path: Path, table: pa.Table, name: str, kind: pa.DataType) -> pa.ChunkedArray:
    values = table[name]
    if pa.types.is_null(values.type) and name in MAY_BE_NULL:
        return pa.chunked_array([pa.nulls(len(values), kind)])
    if not _may_become(values.type, kind):
        # A code that was a number has lost its leading zeros.
        raise ValueError(f"{path.name}: {name} is {values.type}, not {kind}")
    if pa.types.is_floating(values.type):
        _require(path, pc.is_finite(pc.fill_null(values, 0)), f"{name} is not a finite number")
    if pa.types.is_decimal(kind):
        # Six decimals are bronze's; what a model says beyond them is noise.
        values = pc.round(values, ndigits=kind.scale)
    found = values.cast(kind)
    if pa.types.is_timestamp(values.type):
        same = pc.fill_null(pc.equal(found.cast(values.type), values), True)
        _require(path, same, f"{name} has a time of day")
    if name not in MAY_BE_NULL and found.null_count:
        raise ValueError(f"{path.name}: {name} is null in {found.null_count} rows")
    return found


def _may_become(given: pa.DataType, kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(given):
        given = given.value_type
    if pa.types.is_string(kind):
        return bool(pa.types.is_string(given) or pa.types.is_large_string(given))
    if pa.types.is_date(kind):
        # As pandas writes a date; one with a zone would be two dates.
        return bool(pa.types.is_date(given)) or (pa.types.is_timestamp(given) and not given.tz)
    if pa.types.is_integer(kind):
        return bool(pa.types.is_integer(given))
    return bool(
        pa.types.is_floating(given) or pa.types.is_decimal(given) or pa.types.is_integer(given)
    )


def _require(path: Path, holds: pa.ChunkedArray, otherwise: str) -> None:
    wrong = len(holds) - (pc.sum(holds).as_py() or 0)
    if wrong:
        raise ValueError(f"{path.name}: {otherwise} in {wrong} rows")


def _require_unique(path: Path, table: pa.Table, key: Sequence[str]) -> None:
    twice = table.num_rows - table.group_by(list(key)).aggregate([]).num_rows
    if twice:
        raise ValueError(f"{path.name}: {', '.join(key)} occurs again in {twice} rows")


def _named(table: pa.Table, metadata: Metadata) -> pa.Table:
    """The rows with the delivery that they belong to, as each of them has to say."""
    rows = table.num_rows
    own = {
        "dataset_id": pa.repeat(pa.scalar(metadata.dataset_id), rows),
        "model_version": pa.repeat(pa.scalar(metadata.model_version), rows),
        "cutoff_date": pa.repeat(pa.scalar(metadata.cutoff_date, pa.date32()), rows),
    }
    return pa.table(own | {name: table[name] for name in table.column_names})
