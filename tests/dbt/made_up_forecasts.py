"""Made-up demand, and deliveries of forecasts for it: several versions, two grains, any numbers."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal

from tests.dbt.written_bronze import DAY_ONE, Row, change, instant

FIRST = DAY_ONE.date()
DAYS = 130
"""From the first demand to the day as of which the marts speak."""
SERVICE_LEVEL = {"a": 0.98, "b": 0.90}
STORES = ("S", "T")
CUTOFFS = {"v1": (60, "day"), "v2": (90, "day"), "late": (120, "day"), "weekly": (97, "week")}
PROTECTION = {("a", "S"): 10, ("b", "S"): 7, ("b", "T"): 14}
HORIZON = 14
Demand = dict[tuple[str, str, int], int]
"""Whole units by item, store and day."""


def demand(rng: random.Random) -> Demand:
    """Intermittent demand in whole units by item, store and day; the first day has some."""
    days = {
        (item, store, day): rng.randint(1, 9)
        for item in SERVICE_LEVEL
        for store in STORES
        for day in range(DAYS)
        if rng.random() < 0.25
    }
    return {("a", "S", 0): 3, **days}


def items() -> list[Row]:
    """Their criticality says which service level they have."""
    named = {"a": "A", "b": "C"}
    return [change(1, item_id=i, item_name=i, criticality=c) for i, c in named.items()]


def requests(demand: Demand) -> list[Row]:
    """The demand as the ERP has it: a request each, waiting to be issued."""
    return [
        change(
            number,
            day=DAYS - 1,
            material_request_id=number,
            item_id=item,
            store_tower_id=store,
            request_status="waiting",
            requested_quantity=float(quantity),
            issued_quantity=0.0,
            requested_at=instant(day),
            needed_at=instant(day),
        )
        for number, ((item, store, day), quantity) in enumerate(demand.items(), 2)
    ]


def identity(version: str) -> Row:
    """What names a version of the model, and the last day that it had seen."""
    cutoff = FIRST + timedelta(days=CUTOFFS[version][0] - 1)
    return {"dataset_id": "d", "model_version": version, "cutoff_date": cutoff}


def runs() -> list[Row]:
    """The metadata of every version."""
    return [
        {
            **identity(version),
            "generated_at": instant(0),
            "source": "test",
            "horizon": HORIZON,
            "ci_level": Decimal("0.8"),
            "grain": grain,
            "metrics": None,
        }
        for version, (_, grain) in CUTOFFS.items()
    ]


def forecasts(rng: random.Random) -> list[Row]:
    """Forecasts for each item at each store and at all of them, in each version's own grain."""
    rows = []
    for version, (_, grain) in CUTOFFS.items():
        days = 7 if grain == "week" else 1
        for item in SERVICE_LEVEL:
            for store in (*STORES, None):
                for step in range(0, HORIZON, days):
                    middle = 2 * rng.randint(0, 1_500_000)
                    rows.append(_forecast(version, item, store, step + 1, middle))
    # Of the day that the model had seen last.
    return [*rows, _forecast("v1", "a", "S", 0, 2)]


def _forecast(version: str, item: str, store: str | None, horizon: int, millionths: int) -> Row:
    middle = Decimal(millionths) / 1_000_000
    return {
        **identity(version),
        "item_id": item,
        "tower_id": store,
        "date": identity(version)["cutoff_date"] + timedelta(days=horizon),
        "forecasted_demand": middle,
        "ci_lower": middle / 2 if store else None,
        "ci_upper": middle * 2 if store else None,
        "model_type": "guess",
    }


def quantiles(rng: random.Random) -> list[Row]:
    """Guesses of what will be enough over a protection time."""
    return [
        {
            **identity(version),
            "item_id": item,
            "tower_id": store,
            "protection_days": days,
            "quantile": Decimal(str(quantile)),
            "value": Decimal(rng.randint(0, 40_000_000)) / 1_000_000,
        }
        for version in CUTOFFS
        for (item, store), days in PROTECTION.items()
        for quantile in (0.5, 0.9, 0.98)
    ]
