"""Which rows fail an expectation, by their keys: Great Expectations gives values, and only twenty.

One condition in the SQL that PostgreSQL and DuckDB share: marts are asked where they are staged, a
landed batch where it lies in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lakehouse.quality.suites import ROW_COUNT, Entry, Suite

UNEXPECTED_ROWS = "unexpected_rows_expectation"
NAMED_KEYS = 5
"""So many failing rows are named; all of them are counted."""
Ask = Callable[[str], Sequence[Sequence[Any]]]
"""Runs a query, gives its rows."""
Conditions = dict[str, Callable[[str, Mapping[str, Any]], str]]


def failing(suite: Suite, entry: Entry, table: str, ask: Ask) -> dict[str, Any]:
    """How many rows fail, and the first of them by key; empty where no row fails by itself."""
    condition = _from(entry)
    if condition is None:
        return {}
    names = list(dict.fromkeys((*suite.key, *entry.columns)))
    wrong = condition.replace("{batch}", table)
    ((count,),) = ask(f"select count(*) {wrong}")
    if count == 0:
        return {}  # what fails is the table: no row of it is as high, or as low, as it should be
    if not names:
        return {"failing": count}
    shown = ", ".join(map(identifier, names))
    order = ", ".join(str(number) for number in range(1, len(names) + 1))
    found = ask(f"select distinct {shown} {wrong} order by {order} limit {NAMED_KEYS}")
    rows = [{n: _plain(v) for n, v in zip(names, row, strict=True)} for row in found]
    return {"failing": count, "keys": rows}


def values(entry: Entry, table: str, ask: Ask) -> int:
    """How many values an expectation of one column has to go by."""
    only = entry.kwargs.get("row_condition")
    among = "true" if only is None else _among(only)
    ((count,),) = ask(f"select count({identifier(entry.columns[0])}) from {table} where {among}")
    return int(count)


def _from(entry: Entry) -> str | None:
    if entry.type == UNEXPECTED_ROWS:
        return f"from ({entry.kwargs['unexpected_rows_query']}) as wrong"
    if entry.drift is not None:
        return None
    only = entry.kwargs.get("row_condition")
    among = "true" if only is None else _among(only)
    if entry.type == ROW_COUNT:
        # Too many of some kind of rows: these are the ones that were counted.
        return None if only is None else f"from {{batch}} where {among}"
    build = CONDITIONS.get(entry.type)
    if build is None:
        return None
    column = identifier(entry.columns[0])
    return f"from {{batch}} where ({among}) and ({build(column, entry.kwargs)})"


def _outside(column: str, kwargs: Mapping[str, Any]) -> str:
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    parts = []
    if low is not None:
        parts.append(f"{column} {'<=' if kwargs.get('strict_min') else '<'} {literal(low)}")
    if high is not None:
        parts.append(f"{column} {'>=' if kwargs.get('strict_max') else '>'} {literal(high)}")
    return " or ".join(parts) or "false"


def _in_set(column: str, kwargs: Mapping[str, Any]) -> str:
    return f"{column} in ({', '.join(map(literal, kwargs['value_set']))})"


def _lengths(column: str, kwargs: Mapping[str, Any]) -> str:
    return _outside(f"length({column})", kwargs)


def _not_greater(_column: str, kwargs: Mapping[str, Any]) -> str:
    # Great Expectations leaves a pair out of which one is null, and so does SQL.
    a, b = identifier(kwargs["column_A"]), identifier(kwargs["column_B"])
    return f"{a} < {b}" if kwargs.get("or_equal") else f"{a} <= {b}"


CONDITIONS: Conditions = {
    "expect_column_values_to_be_between": _outside,
    "expect_column_max_to_be_between": lambda c, k: _outside(c, {**k, "min_value": None}),
    "expect_column_min_to_be_between": lambda c, k: _outside(c, {**k, "max_value": None}),
    "expect_column_values_to_be_in_set": lambda c, k: f"not ({_in_set(c, k)})",
    "expect_column_values_to_not_be_in_set": _in_set,
    "expect_column_values_to_match_regex": lambda c, k: f"not ({c} ~ {literal(k['regex'])})",
    "expect_column_values_to_not_be_null": lambda c, _: f"{c} is null",
    "expect_column_values_to_be_null": lambda c, _: f"{c} is not null",
    "expect_column_value_lengths_to_be_between": _lengths,
    "expect_column_pair_values_a_to_be_greater_than_b": _not_greater,
}
"""When a row fails, by kind of expectation; the others speak of no single row."""


def _among(condition: Mapping[str, Any]) -> str:
    """A row condition in Great Expectations' shape, as SQL."""
    column = identifier(condition["column"]["name"])
    if condition["type"] == "nullity":
        return f"{column} is null" if condition["is_null"] else f"{column} is not null"
    operator, value = condition["operator"], condition["parameter"]
    if operator in ("IN", "NOT_IN"):
        return f"{column} {operator.replace('_', ' ')} ({', '.join(map(literal, value))})"
    return f"{column} {'=' if operator == '==' else operator} {literal(value)}"


def identifier(name: str) -> str:
    """A name, quoted."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Any) -> str:
    """A value, quoted unless it is a number or a boolean."""
    if isinstance(value, bool | int | float):
        return str(value).lower()
    return "'" + str(value).replace("'", "''") + "'"


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else str(value)
