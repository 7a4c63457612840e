"""A lake for each test, in a folder of its own, and no network unless a test starts a server."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse import settings as lakehouse_settings
from lakehouse.erp import company, postgres
from lakehouse.settings import Settings


@pytest.fixture
def lake() -> Iterator[Settings]:
    """Settings of an empty lake; a server that the test started in it is stopped."""
    # Not tmp_path: pytest keeps those, and a cluster is 40 MB.
    folder = Path(tempfile.mkdtemp(prefix="lake-"))
    settings = lakehouse_settings.load({"LAKEHOUSE_HOME": str(folder / "home")})
    yield settings
    postgres.down(settings)
    shutil.rmtree(folder)


@pytest.fixture
def server_lake(lake: Settings) -> Settings:
    """A lake whose embedded PostgreSQL is up."""
    postgres.up(lake)
    return lake


@pytest.fixture
def demo_lake(server_lake: Settings) -> Settings:
    """A lake whose ERP holds a company that has yet to live its first days, a month of them."""
    company.create(server_lake, days=20)
    return server_lake
