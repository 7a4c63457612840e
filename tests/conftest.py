"""A lake for each test, in a folder of its own, and no network unless a test starts a server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lakehouse.erp import company, postgres
from lakehouse.settings import Settings
from tests.fixtures.lakes import temporary_lake


@pytest.fixture
def lake() -> Iterator[Settings]:
    """Settings of an empty lake; a server that the test started in it is stopped."""
    with temporary_lake() as settings:
        yield settings


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
