"""Proof that bronze holds what was delivered, and what the ERP holds; it names what does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lakehouse.bronze.verify import conservation, equality
from lakehouse.bronze.verify.conservation import Conserved
from lakehouse.bronze.verify.equality import Compared
from lakehouse.settings import Settings


@dataclass(frozen=True)
class Verified:
    """What was proven, table by table, and at which position of the ERP's change log."""

    conserved: tuple[Conserved, ...]
    lsn: int | None
    """None when the ERP was left out."""
    compared: tuple[Compared, ...]

    @property
    def problems(self) -> list[str]:
        found: list[Conserved | Compared] = [*self.conserved, *self.compared]
        return [f"{one.table}: {problem}" for one in found for problem in one.problems]


def verify(settings: Settings, catch_up: Callable[[], object] | None) -> Verified:
    """Compare with the ERP, if `catch_up` brings bronze up to it, and count every file's rows."""
    lsn, compared = equality.compare(settings, catch_up) if catch_up else (None, [])
    return Verified(tuple(conservation.check(settings)), lsn, tuple(compared))
