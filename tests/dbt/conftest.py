"""One lake for all tests of the models, so that dbt reads the project once."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from lakehouse import ops
from lakehouse import settings as lakehouse_settings
from lakehouse.settings import Settings

Recorded = list[dict[str, Any]]


@pytest.fixture(scope="session")
def models_lake() -> Iterator[Settings]:
    """A lake without a server; each test begins it anew."""
    folder = Path(tempfile.mkdtemp(prefix="lake-"))
    yield lakehouse_settings.load({"LAKEHOUSE_HOME": str(folder / "home")})
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """What would have gone to PostgreSQL: what became of each node."""
    rows: Recorded = []
    monkeypatch.setattr(ops, "warehouse", nullcontext)
    monkeypatch.setattr(ops, "record", lambda _connection, _table, new: rows.extend(new))
    return rows
