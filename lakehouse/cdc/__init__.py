"""Change data capture: every committed change of the ERP, in order, as landing files."""

from __future__ import annotations

from lakehouse.cdc.checks import Needed
from lakehouse.cdc.reader import Synced, follow, resync, sync

__all__ = ["Needed", "Synced", "follow", "resync", "sync"]
