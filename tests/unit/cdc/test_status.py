"""When the log that the ERP keeps for the reader is worth a warning."""

from __future__ import annotations

import pytest

from lakehouse.cdc.status import _warning

MB, GB = 1 << 20, 1 << 30


@pytest.mark.parametrize(
    ("wal_status", "retained", "limit", "says"),
    [
        ("reserved", 2 * GB, 4 * GB, None),
        ("reserved", 2 * GB + 1, 4 * GB, "keeps 2048 MB of log for the reader of at most 4096 MB"),
        ("extended", 4 * GB, None, None),
        ("extended", 4 * GB + 1, None, "keeps 4096 MB of log for the reader, and nothing limits"),
        ("unreserved", 10 * MB, 4 * GB, "removes changes that were not read yet"),
        ("lost", None, 4 * GB, "has removed changes"),
        (None, None, None, "has no slot"),
        ("reserved", None, None, None),
    ],
)
def test_a_warning_comes_before_the_limit(
    wal_status: str | None, retained: int | None, limit: int | None, says: str | None
) -> None:
    found = _warning(wal_status, retained, limit)
    assert (found is None) == (says is None)
    assert says is None or says in (found or "")
