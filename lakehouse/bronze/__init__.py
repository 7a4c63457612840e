"""Bronze: every delivered row exactly once, in Delta tables that only grow, or in quarantine."""

from lakehouse.bronze.contract import contracts
from lakehouse.bronze.generations import last_generation
from lakehouse.bronze.loading import Loaded, LoadedTable, load
from lakehouse.bronze.tables import table_uri

__all__ = ["Loaded", "LoadedTable", "contracts", "last_generation", "load", "table_uri"]
