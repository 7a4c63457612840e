"""What `dbt` is in a model that sqlfluff renders."""

from __future__ import annotations


def type_string() -> str:
    """DuckDB's name of the type."""
    return "varchar"
