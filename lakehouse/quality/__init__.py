"""The gate: expectations on the staged marts, without which nothing is served."""

from lakehouse.quality.gate import Checked, check

__all__ = ["Checked", "check"]
