"""Bronze: every delivered row exactly once, in Delta tables that only grow, or in quarantine.

The way of a row, module by module:

- what is promised: `contract` (YAML), `types`, `contract_drafts` (a first one out of the ERP);
- what a table has become beyond that: `shape`, and `evolution`, which makes it so;
- a file: `files` knows it by its content and reads it piece by piece (`records`: its JSON);
- a row: `rows` judges it, `fitting` its values, `position` its place in the change log;
- Delta: `tables`, `contract_table` (with its shape), `parts` (Parquet), `policy` (numbers);
- a load: `loading`, which asks `seen_files` what it need not read again;
- what was refused: `quarantine`, as JSON by `payloads`; `waiting` lists it, `replay` retries it;
- afterwards: `holdings` (counts), `landed` (the newest rows), `maintenance`, `verify/` (proof).
"""

from lakehouse.bronze.contract import contracts
from lakehouse.bronze.contract_table import Evolved, evolved
from lakehouse.bronze.holdings import Holding, holdings, last_generation
from lakehouse.bronze.landed import landed_rows, newest_commit
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
    "landed_rows",
    "last_generation",
    "load",
    "newest_commit",
    "table_uri",
    "waiting",
]
