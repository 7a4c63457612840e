"""What `adapter` is in a model that sqlfluff renders: the engine is DuckDB, as in `make run`."""

from __future__ import annotations

from collections.abc import Callable

from jinja2 import pass_context
from jinja2.runtime import Context


@pass_context
def dispatch(context: Context, name: str, macro_namespace: str = "") -> Callable[..., str]:  # noqa: ARG001
    """Find the macro as dbt does, so that the SQL that is linted is the SQL that runs."""
    macro: Callable[..., str] = context.get(f"duckdb__{name}") or context[f"default__{name}"]
    return macro
