"""Bronze: every delivered row exactly once, in Delta tables that only grow, or in quarantine."""

from lakehouse.bronze.contract import Column, Contract, contracts
from lakehouse.bronze.loading import Loaded, LoadedTable, load
from lakehouse.bronze.tables import table_uri

__all__ = ["Column", "Contract", "Loaded", "LoadedTable", "contracts", "load", "table_uri"]
