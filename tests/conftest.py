"""A lake for each test, in a folder of its own, and no network unless a test starts a server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lakehouse.erp import company, postgres
from lakehouse.settings import Settings
from tests.fixtures.lakes import temporary_lake


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Fail at once where a worker does not see that tests belong together; they share a server."""
    if config.getoption("loadgroup", default=False):
        torn = [
            i.nodeid for i in items if i.get_closest_marker("xdist_group") and "@" not in i.nodeid
        ]
        if torn:
            raise pytest.UsageError(f"pytest and xdist do not agree on groups of tests: {torn[0]}")


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
