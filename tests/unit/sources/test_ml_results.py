"""Deliveries of forecasts: landed once, in bronze as they were, refused by name of the fault."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from lakehouse import bronze, sources
from lakehouse.errors import RefusedError
from lakehouse.settings import Settings
from tests.fixtures.exports import CUTOFF, FORECAST, QUANTILE, Row, export


def in_bronze(lake: Settings, entity: str) -> list[Row]:
    rows = DeltaTable(f"{lake.bronze_uri}/ml_results/{entity}").to_pyarrow_table().to_pylist()
    return [{n: v for n, v in row.items() if not n.startswith("_")} for row in rows]


def test_a_delivery_lands_once_and_is_in_bronze_as_it_was(lake: Settings) -> None:
    assert sources.land(lake) == sources.Landed(0, 0, 0, 0)
    folder = export(lake)
    (folder.parent / "v2").mkdir()  # still being written
    assert sources.land(lake) == sources.Landed(1, 3, 0, 1)
    assert sources.land(lake) == sources.Landed(0, 0, 1, 1)
    loaded = bronze.load(lake)
    assert (loaded.rows, loaded.quarantined_rows, loaded.quarantined_files) == (3, 0, 0)

    named = {"dataset_id": "d1", "model_version": "v1", "cutoff_date": CUTOFF}
    assert in_bronze(lake, "forecasts") == [
        named
        | FORECAST
        | {
            "forecasted_demand": Decimal("0.123457"),
            "ci_lower": Decimal("0.000000"),
            "ci_upper": Decimal("2.500000"),
        }
    ]
    assert in_bronze(lake, "quantiles") == [
        named | QUANTILE | {"quantile": Decimal("0.980000"), "value": Decimal("7.000000")}
    ]
    assert in_bronze(lake, "runs") == [
        named
        | {
            "generated_at": datetime(2025, 10, 1, 6, tzinfo=UTC),
            "source": "nightly",
            "horizon": 14,
            "ci_level": Decimal("0.900000"),
            "grain": "day",
            "metrics": '{"model":{"kind":"sba"},"wape":1.9}',
        }
    ]


def test_a_landing_that_was_killed_is_done_again(lake: Settings) -> None:
    export(lake)
    sources.land(lake)
    (lake.home / "sources" / "ml_results.json").unlink()
    assert sources.land(lake) == sources.Landed(1, 3, 0, 0)


def test_good_deliveries_land_beside_a_bad_one(lake: Settings) -> None:
    export(lake)
    export(lake, folder="d1/v2", model_version="v2", grain="month")
    with pytest.raises(
        RefusedError, match=r"^1 of .*: d1/v2: metadata.json: grain: .*; the good ones were landed"
    ):
        sources.land(lake)
    export(lake, folder="d1/v2", model_version="v2")
    assert sources.land(lake) == sources.Landed(1, 3, 1, 0)


def test_what_was_landed_may_not_change(lake: Settings) -> None:
    export(lake)
    sources.land(lake)
    export(lake, [FORECAST | {"forecasted_demand": 9.0}])
    with pytest.raises(RefusedError, match="d1/v1: it was landed before with another content"):
        sources.land(lake)


def retyped(name: str, kind: pa.DataType) -> pa.Table:
    table = pa.Table.from_pylist([FORECAST | {"item_id": "7"}])
    return table.set_column(table.column_names.index(name), name, table[name].cast(kind))


WRONG: dict[str, tuple[Row, str]] = {
    "field missing": ({"cutoff_date": None}, r"metadata.json: cutoff_date: field required"),
    "field unknown": ({"author": "ana"}, r"metadata.json: author: unexpected"),
    "no zone": (
        {"generated_at": "2025-10-01T03:00:00"},
        r"metadata.json: generated_at: .*timezone",
    ),
    "other folder": ({"model_version": "v9"}, r"model_version is not the folder's, 'v1'"),
    "share above 1": ({"ci_level": 90}, r"metadata.json: ci_level: .*less than 1"),
    "no horizon": ({"horizon": 0}, r"metadata.json: horizon: .*greater than 0"),
    "seen": (
        {"forecasts": [FORECAST | {"date": CUTOFF}]},
        r"date is not after the cutoff .* in 1 r",
    ),
    "beyond": (
        {"horizon": 7, "forecasts": [FORECAST | {"date": date(2025, 10, 8)}]},
        r"beyond the h",
    ),
    "no week": (
        {"grain": "week", "forecasts": [FORECAST | {"date": date(2025, 10, 2)}]},
        r"date begins no week in 1 rows",
    ),
    "twice": (
        {"forecasts": [FORECAST, FORECAST]},
        r"item_id, tower_id, date occurs again in 1 rows",
    ),
    "column": ({"forecasts": [FORECAST | {"mean": 1.0}]}, r"forecasts.parquet has columns .*mean"),
    "code a number": (
        {"forecasts": retyped("item_id", pa.int64())},
        r"item_id is int64, not string",
    ),
    "no item": (
        {"forecasts": [FORECAST, FORECAST | {"item_id": None}]},
        r"item_id is null in 1 rows",
    ),
    "not finite": (
        {"forecasts": [FORECAST | {"forecasted_demand": float("nan")}]},
        r"forecasted_demand is not a finite number in 1 rows",
    ),
    "time of day": (
        {"forecasts": [FORECAST | {"date": datetime(2025, 10, 1, 5)}]},  # noqa: DTZ001
        r"date has a time of day in 1 rows",
    ),
    "other cutoff": (
        {"quantiles": [QUANTILE | {"cutoff_date": date(2025, 9, 1)}]},
        r"quantiles.parquet: cutoff_date is not 2025-09-30 in 1 rows",
    ),
    "percent": ({"quantiles": [QUANTILE | {"quantile": 1.0}]}, r"quantile is not between 0 and 1"),
    "no time": (
        {"quantiles": [QUANTILE | {"protection_days": 0}]},
        r"protection_days is not above 0",
    ),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_a_wrong_delivery_is_refused_by_name(lake: Settings, case: tuple[Row, str]) -> None:
    delivery, told = case
    export(lake, **delivery)
    with pytest.raises(RefusedError, match=rf"d1/v1: .*{told}") as refused:
        sources.land(lake)
    assert refused.value.exit_status == 3
    assert not Path(lake.landing_uri).exists()


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (lambda p: (p / "metadata.json").write_text("{"), "metadata.json is no JSON"),
        (lambda p: (p / "forecasts.parquet").unlink(), "forecasts.parquet is missing"),
        (lambda p: (p / "quantiles.parquet").write_text("x"), "quantiles.parquet cannot be read"),
    ],
)
def test_a_broken_file_is_refused_by_name(
    lake: Settings, broken: Callable[[Path], object], told: str
) -> None:
    broken(export(lake))
    with pytest.raises(RefusedError, match=f"d1/v1: {told}"):
        sources.land(lake)


def test_a_model_without_quantiles_is_taken(lake: Settings) -> None:
    export(lake, quantiles=None)
    assert sources.land(lake) == sources.Landed(1, 2, 0, 0)
