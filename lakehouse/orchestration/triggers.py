"""What Airflow's triggerer waits for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from lakehouse import settings


class ForecastsTrigger(BaseEventTrigger):
    """An event when deliveries of forecasts are whole and were not landed yet.

    Each is told once, and again when it was exported anew; after a restart, all that still wait.
    """

    def __init__(self, every_s: float = 30) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow does not type it
        self.every_s = every_s

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """How the triggerer makes it again."""
        return f"{__name__}.{type(self).__name__}", {"every_s": self.every_s}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look now and then, for ever."""
        told: set[tuple[str, int]] = set()
        while True:
            waiting = await asyncio.to_thread(_waiting)
            if waiting - told:
                new = sorted(name for name, _ in waiting - told)
                yield TriggerEvent(new)  # type: ignore[no-untyped-call]
            told |= waiting
            await asyncio.sleep(self.every_s)


def _waiting() -> set[tuple[str, int]]:
    # The DAG processor imports this file, and must not read pyarrow for it.
    from lakehouse import sources

    return sources.not_landed(settings.load())
