"""What the tests of bronze have in common."""

from __future__ import annotations

import pytest

from lakehouse.bronze import loading, replay
from tests.unit.bronze.refused import MOVEMENT, Mend, contract


@pytest.fixture
def mend(monkeypatch: pytest.MonkeyPatch) -> Mend:
    """Begin with a contract that is too strict; what is given back mends it."""
    use = {"one": contract(note=False)}
    for module in (loading, replay):
        monkeypatch.setattr(module, "contracts", lambda: (use["one"],))
    return lambda: use.update(one=MOVEMENT)
