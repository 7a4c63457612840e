"""Bronze: every delivered row exactly once, in Delta tables that only grow, or in quarantine."""

from lakehouse.bronze.contract import contracts
from lakehouse.bronze.contracted import Evolved, evolved
from lakehouse.bronze.generations import last_generation
from lakehouse.bronze.loading import Loaded, LoadedTable, load
from lakehouse.bronze.tables import table_uri

__all__ = [
    "Evolved",
    "Loaded",
    "LoadedTable",
    "contracts",
    "evolved",
    "last_generation",
    "load",
    "table_uri",
]
