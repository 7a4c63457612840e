"""What the tests with a server of their own have in common."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lakehouse.settings import Settings
from tests.integration.cdc_replay import embedded_server


@pytest.fixture(scope="module")
def server() -> Iterator[Settings]:
    """The lake of an embedded PostgreSQL that the tests of one file share."""
    with embedded_server() as settings:
        yield settings
