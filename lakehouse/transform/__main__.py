"""`python -m lakehouse.transform` reads the dbt project ahead, so that the next build need not."""

from lakehouse import settings
from lakehouse.transform import dbt_runner

if __name__ == "__main__":
    dbt_runner.parse(settings.load())
