"""Change data capture: every committed change of the ERP, in order, as landing files."""

from __future__ import annotations

from lakehouse.cdc.checks import Needed
from lakehouse.cdc.reader import Synced, follow, resync, sync
from lakehouse.cdc.status import Status, status

__all__ = ["Needed", "Status", "Synced", "follow", "resync", "status", "sync"]
