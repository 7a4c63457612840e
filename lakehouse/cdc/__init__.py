"""Change data capture: every committed change of the ERP, in order, as landing files."""

from __future__ import annotations

from lakehouse.cdc.reader import Synced, sync

__all__ = ["Synced", "sync"]
