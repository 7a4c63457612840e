"""Made-up deliveries of forecasts: each number of the marts against Python over dense days."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from math import ceil
from statistics import mean
from typing import Any

import pytest

from lakehouse import duck
from lakehouse.settings import Settings
from lakehouse.transform import dbt_runner, ranges
from tests.dbt import made_up_forecasts as made_up
from tests.dbt.made_up_forecasts import (
    CUTOFFS,
    DAYS,
    FIRST,
    HORIZON,
    PROTECTION,
    SERVICE_LEVEL,
    STORES,
    Demand,
)
from tests.dbt.written_bronze import Row, deliver, start_anew

MARTS = ("+rpt_forecast_value_added", "+forecast_accuracy")
MEASURES = ("scaled_error", "scaled_bias", "scaled_pinball")
Series = tuple[str, str | None]


def test_metrics_of_deliveries_equal_plain_python(models_lake: Settings) -> None:
    rng = random.Random(5)
    demand = made_up.demand(rng)
    forecasts, quantiles = made_up.forecasts(rng), made_up.quantiles(rng)
    start_anew(models_lake)
    requests = made_up.requests(demand)
    deliver(models_lake, {"erp/items": made_up.items(), "erp/material_requests": requests})
    # The metadata come a batch after the forecasts, and everything comes twice.
    deliver(models_lake, {"ml_results/forecasts": forecasts, "ml_results/quantiles": quantiles})
    _build(models_lake)
    deliver(models_lake, {"ml_results/runs": made_up.runs(), "ml_results/forecasts": forecasts})
    _build(models_lake)
    _assert_checks_pass(models_lake)

    kept = [row for row in forecasts if row["date"] > row["cutoff_date"]]
    assert len(kept) == len(forecasts) - 1
    assert _ask(models_lake, "select count(*) from marts.fact_forecasts") == [(len(kept),)]
    expected = {_key(row): _compared(row, demand) for row in kept if _due(row)}
    found = _by_key(models_lake)
    assert found.keys() == expected.keys()
    assert len(found) < len(kept)
    for key, values in expected.items():
        assert found[key] == pytest.approx(values, abs=2e-6), key
    _assert_accuracy(models_lake, list(expected.items()))
    _assert_value_added(models_lake, demand, forecasts, quantiles)


def _build(settings: Settings) -> None:
    """The forecasting marts and what they read, over what is new."""
    manifest = dbt_runner.parse(settings)
    ranges.freeze(settings, dbt_runner.bronze_tables(manifest))
    built = dbt_runner.execute(settings, manifest, "models", ["run", "--select", *MARTS])
    assert [(r.node, r.message) for r in built if r.status != "success"] == []
    ranges.mark_built(settings, "those of forecasting")
    assert ranges.advance(settings)


def _assert_checks_pass(settings: Settings) -> None:
    # Cautious: others also read models that are not built here.
    command = ["test", "--exclude-resource-type", "unit_test", "--indirect-selection", "cautious"]
    manifest = dbt_runner.parse(settings)
    tested = dbt_runner.execute(settings, manifest, "tests", [*command, "--select", *MARTS])
    assert "assert_forecasts_are_conserved" in {r.node for r in tested}
    assert [(r.node, r.message) for r in tested if r.status != "pass"] == []


def _key(row: Row) -> tuple[Any, ...]:
    return row["model_version"], row["item_id"], row["tower_id"], row["date"]


def _length(row: Row) -> int:
    return 7 if CUTOFFS[row["model_version"]][1] == "week" else 1


def _due(row: Row) -> bool:
    last: date = row["date"] + timedelta(days=_length(row) - 1)
    return last < FIRST + timedelta(days=DAYS)


def _dense(demand: Demand, series: Series) -> list[int]:
    item, store = series
    stores = STORES if store is None else (store,)
    return [sum(demand.get((item, s, day), 0) for s in stores) for day in range(DAYS)]


def _buckets(row: Row, demand: Demand) -> tuple[list[int], list[int]]:
    """Demand by bucket, in training and after the cutoff."""
    days, length = _dense(demand, (row["item_id"], row["tower_id"])), _length(row)
    cutoff = CUTOFFS[row["model_version"]][0]
    seen = days[cutoff % length : cutoff]
    starts = range(0, len(seen), length)
    after = days[cutoff:]
    return (
        [sum(seen[i : i + length]) for i in starts],
        [sum(after[i : i + length]) for i in range(0, len(after) - length + 1, length)],
    )


def _scale(training: Sequence[int], season: int) -> float:
    return mean(abs(y - x) for x, y in zip(training, training[season:], strict=False))


def _sba(training: Sequence[int]) -> float:
    size = interval = 0.0
    since, events = 0, 0
    for demand in training:
        since += 1
        if demand:
            weight = 0.1 if events else 1.0
            size += weight * (demand - size)
            interval += weight * (since - interval)
            since, events = 0, events + 1
    return 0.95 * size / interval if events else 0.0


def _season(row: Row) -> int:
    return 7 if _length(row) == 1 else 1


def _bucket(row: Row) -> int:
    return int((row["date"] - row["cutoff_date"]).days - 1) // _length(row)


def _compared(row: Row, demand: Demand) -> tuple[Any, ...]:
    training, after = _buckets(row, demand)
    actual, forecast = after[_bucket(row)], float(row["forecasted_demand"])
    scale, error = _scale(training, _season(row)), float(row["forecasted_demand"]) - actual
    within = None
    if row["ci_lower"] is not None:
        within = float(row["ci_lower"]) <= actual <= float(row["ci_upper"])
    percentage = abs(error) / actual if actual else None
    return forecast, actual, error, percentage, abs(error) / scale, actual / scale, within


def _by_key(settings: Settings) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    rows = _ask(
        settings,
        "select model_version, item_id, tower_id, forecast_date, forecasted_demand, actual_demand,"
        " error, absolute_percentage_error, scaled_error, zero_scaled_error, is_within_interval"
        " from marts.fact_forecast_metrics",
    )
    return {row[:4]: tuple(map(_plain, row[4:])) for row in rows}


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def _ask(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with duck.warehouse(settings) as connection:
        return connection.execute(query).fetchall()


def _assert_accuracy(settings: Settings, compared: list[tuple[Any, tuple[Any, ...]]]) -> None:
    groups: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for (version, item, store, day), values in compared:
        horizon = (day - made_up.identity(version)["cutoff_date"]).days
        level = "item_store" if store else "item"
        groups.setdefault((version, level, item, horizon), []).append(values)
    found = _ask(
        settings,
        "select model_version, series_level, item_id, horizon_days, bias, wape, mape, mase,"
        " zero_wape, zero_mase, interval_coverage, forecast_count from marts.forecast_accuracy",
    )
    assert {row[:4] for row in found} == groups.keys()
    for row in found:
        _, actual, error, percentage, scaled, zero, within = zip(*groups[row[:4]], strict=True)
        needed = sum(actual)
        percentages = [value for value in percentage if value is not None]
        covered = [value for value in within if value is not None]
        assert tuple(map(_plain, row[4:])) == pytest.approx(
            (
                sum(error) / needed if needed else None,
                sum(map(abs, error)) / needed if needed else None,
                mean(percentages) if percentages else None,
                mean(scaled),
                1 if needed else None,
                mean(zero),
                mean(covered) if covered else None,
                len(actual),
            ),
            abs=2e-6,
        ), row[:4]


def _assert_value_added(
    settings: Settings,
    demand: Demand,
    forecasts: list[Row],
    quantiles: list[Row],
) -> None:
    pairs: dict[tuple[str, str, str], list[tuple[float | None, ...]]] = {}
    for version in CUTOFFS:
        for item in SERVICE_LEVEL:
            for store in (*STORES, None):
                rows = [r for r in forecasts if _key(r)[:3] == (version, item, store)]
                for baseline, values in _pair(rows, demand, quantiles):
                    level = "item_store" if store else "item"
                    pairs.setdefault((version, level, baseline), []).append(values)
    columns = ", ".join(f"{side}_{name}" for name in MEASURES for side in ("model", "baseline"))
    found = _ask(
        settings,
        f"select model_version, series_level, baseline, {columns}, pair_count, pinball_pair_count,"
        " is_improvement from marts.rpt_forecast_value_added",
    )
    assert {row[:3] for row in found} == pairs.keys()
    for row in found:
        sides = list(zip(*pairs[row[:3]], strict=True))
        counted = [[value for value in side if value is not None] for side in sides]
        means = [mean(side) if side else None for side in counted]
        assert tuple(map(_plain, row[3:9])) == pytest.approx(tuple(means), abs=2e-6), row[:3]
        assert row[9:11] == (len(sides[0]), len(counted[4]))
        _, _, model_bias, bias, model_loss, loss = means
        assert model_bias is not None
        assert bias is not None
        better = None
        if model_loss is not None and loss is not None:
            better = model_loss < loss and abs(model_bias) <= abs(bias)
        assert row[11] == better
    assert {row[11] for row in found} == {True, False, None}


def _pair(
    rows: list[Row], demand: Demand, quantiles: list[Row]
) -> list[tuple[str, tuple[float | None, ...]]]:
    """Error, bias and pinball loss of model and baseline over the protection time of a series."""
    row = rows[0]
    series = (row["item_id"], row["tower_id"])
    protection = PROTECTION.get(series, HORIZON)
    training, after = _buckets(row, demand)
    count, rest = divmod(protection, _length(row))
    if rest or CUTOFFS[row["model_version"]][0] + protection > DAYS:
        return []
    season, level = _season(row), SERVICE_LEVEL[row["item_id"]]
    unit = count * _scale(training, season)
    actual = sum(after[:count])
    model = sum(float(r["forecasted_demand"]) for r in rows if 0 <= _bucket(r) < count)
    naive = [training[len(training) + b - season * ceil((b + 1) / season)] for b in range(count)]
    sums = {"zero": 0.0, "seasonal_naive": float(sum(naive)), "sba": count * _sba(training)}
    value = None
    for q in quantiles:
        if (q["model_version"], q["item_id"], q["tower_id"]) == (row["model_version"], *series):
            value = float(q["value"]) if float(q["quantile"]) == level else value

    def pinball(enough: float) -> float:
        return max(level * (actual - enough), (level - 1) * (actual - enough)) / unit

    found: list[tuple[str, tuple[float | None, ...]]] = []
    for name, forecast in sums.items():
        errors = abs(model - actual) / unit, abs(forecast - actual) / unit
        biases = (model - actual) / unit, (forecast - actual) / unit
        losses = (None, None) if value is None else (pinball(value), pinball(forecast))
        found.append((name, (*errors, *biases, *losses)))
    return found
