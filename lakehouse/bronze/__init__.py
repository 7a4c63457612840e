"""Bronze: every delivered row exactly once, in Delta tables that only grow, or in quarantine."""

from lakehouse.bronze.contract import contracts
from lakehouse.bronze.contracted import Evolved, evolved
from lakehouse.bronze.holdings import Holding, holdings, last_generation
from lakehouse.bronze.loading import Loaded, LoadedTable, load
from lakehouse.bronze.tables import table_uri
from lakehouse.bronze.waiting import Waiting, waiting

__all__ = [
    "Evolved",
    "Holding",
    "Loaded",
    "LoadedTable",
    "Waiting",
    "contracts",
    "evolved",
    "holdings",
    "last_generation",
    "load",
    "table_uri",
    "waiting",
]
