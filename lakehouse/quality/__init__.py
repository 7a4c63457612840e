"""The gate: expectations on what landed and on the staged marts; nothing is served without them."""

from lakehouse.quality.accepting import Accepted, accept
from lakehouse.quality.data_docs import renew as renew_data_docs
from lakehouse.quality.gate import Checked, check
from lakehouse.quality.landed import Landed, check_landed

__all__ = [
    "Accepted",
    "Checked",
    "Landed",
    "accept",
    "check",
    "check_landed",
    "renew_data_docs",
]
