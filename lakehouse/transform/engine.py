"""The name by which tests/dbt/test_increments.py opens the warehouse."""

from lakehouse.duck import warehouse

__all__ = ["warehouse"]
