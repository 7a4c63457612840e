"""When the triggerer says that forecasts were delivered."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest

from lakehouse import sources
from lakehouse.settings import Settings
from lakehouse.settings import export as exported
from tests.fixtures.exports import export


def test_a_delivery_is_told_once_and_again_when_it_was_exported_anew(
    lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(lake.home / "airflow"))
    for name, value in exported(lake).items():
        monkeypatch.setenv(name, value)
    triggers: Any = importlib.import_module("lakehouse.orchestration.triggers")
    path, arguments = triggers.ForecastsTrigger(0.01).serialize()
    assert path == "lakehouse.orchestration.triggers.ForecastsTrigger"

    async def said() -> None:
        events: AsyncIterator[Any] = triggers.ForecastsTrigger(**arguments).run()
        first = export(lake)
        (first.parent / "v3").mkdir()  # still being written
        assert (await anext(events)).payload == ["d1/v1"]
        export(lake, folder="d1/v2", model_version="v2")
        assert (await anext(events)).payload == ["d1/v2"]
        os.utime(first / "metadata.json", ns=(1, 1))
        assert (await anext(events)).payload == ["d1/v1"]
        sources.land(lake)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(events), 0.5)

    asyncio.run(said())
