"""Bronze to marts: the dbt project, run in this process over a frozen range of batches."""

from lakehouse.transform.backfilling import Backfilled, backfill
from lakehouse.transform.dbt_runner import document
from lakehouse.transform.ranges import advance, newest, require_tested, tested
from lakehouse.transform.rebuilding import Rebuilt, mart_hashes, rebuild
from lakehouse.transform.steps import Built, Tested, dbt_run, dbt_test, transform

__all__ = [
    "Backfilled",
    "Built",
    "Rebuilt",
    "Tested",
    "advance",
    "backfill",
    "dbt_run",
    "dbt_test",
    "document",
    "mart_hashes",
    "newest",
    "rebuild",
    "require_tested",
    "tested",
    "transform",
]
