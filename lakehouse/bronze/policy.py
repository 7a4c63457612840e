"""How long bronze keeps what no reader needs any more, and when small parts become large ones."""

from __future__ import annotations

from types import MappingProxyType

KEPT_DAYS = 7
"""Parts that a table no longer names stay so long: as old as this a reader, or time travel, may be.
A writer that was killed is dead for sure after it, so what it left can go, too."""

KEPT_LOG_DAYS = 30
"""Commits stay so long; the transaction ids in them stay for ever."""

COMMITS_A_CHECKPOINT = 100
"""A reader has to read no more commits than these after the last checkpoint."""

SMALL_BYTES = 32 << 20
"""A part below this is small."""

SMALL_PARTS = 8
"""So many small parts of one load date are worth rewriting."""

TARGET_BYTES = 256 << 20
"""Small parts are gathered up to about this size."""

ATTEMPTS = 5
"""So often a commit is tried again after another writer was first."""

CONFIGURATION = MappingProxyType(
    {
        "delta.checkpointInterval": str(COMMITS_A_CHECKPOINT),
        "delta.deletedFileRetentionDuration": f"interval {KEPT_DAYS} days",
        "delta.logRetentionDuration": f"interval {KEPT_LOG_DAYS} days",
    }
)
