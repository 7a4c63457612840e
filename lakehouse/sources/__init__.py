"""Sources beside the ERP: what they deliver is landed in the layout that the ERP's changes have."""

from __future__ import annotations

from lakehouse.sources.ml_results import Landed, land, not_landed

__all__ = ["Landed", "land", "not_landed"]
