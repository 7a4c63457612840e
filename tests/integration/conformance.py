"""A company that lives through what is hard to keep a history of, and what is asked of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import psycopg2

from lakehouse import bronze, cdc, engine
from lakehouse.erp import CLOCK_PREFIX, company, postgres, truth
from lakehouse.orchestration import chain
from lakehouse.settings import Settings
from lakehouse.transform import mart_hashes

DIMENSIONS = {
    "dim_contracts": ("contracts", "contract_id"),
    "dim_items": ("items", "item_id"),
    "dim_suppliers": ("suppliers", "supplier_id"),
    "dim_towers": ("towers", "tower_id"),
}
NOT_ATTRIBUTES = {"created_at", "updated_at"}
# What a TRUNCATE of the suppliers takes with it, parents first.
EMPTIED = ("suppliers", "item_suppliers", "orders", "goods_receipts")
GHOST = "GHOST"
Members = dict[str, tuple[Any, ...]]


def begin(lake: Settings, *, scale: float) -> None:
    """Make the company, begin to read its changes, and let it live its first days."""
    company.create(lake, scale=scale, days=20)
    _extract(lake)
    company.advance(lake, days=1)
    land(lake)


def be_truncated(lake: Settings) -> None:
    """Two more days; between them all suppliers go, and all but one come back, at one commit."""
    supplier = f"'{GHOST}', 'Never bought from', null, 'BR', 'BA', true, now(), now()"
    change(lake, f"insert into suppliers values ({supplier})")
    company.advance(lake, days=1)
    change(
        lake,
        *(f"create temporary table kept_{t} on commit drop as table {t}" for t in EMPTIED),
        "truncate suppliers cascade",
        f"delete from kept_suppliers where supplier_id = '{GHOST}'",
        *(f"insert into {t} table kept_{t}" for t in EMPTIED),
    )
    company.advance(lake, days=1)


def be_resynced(lake: Settings) -> None:
    """Two more days; between them the reader begins anew with two tables."""
    above = bronze.last_generation(lake)
    tables = ("suppliers", "towers")
    cdc.resync(lake, tables, chain.erp_contracts(), after_generation=above)
    change(lake, "update towers set tower_name = 'renamed' where tower_type = 'depot'")
    company.advance(lake, days=2)


def land(lake: Settings) -> None:
    """Bring bronze to what the ERP is now."""
    _extract(lake)
    bronze.load(lake)


def change(lake: Settings, *statements: str) -> None:
    """Run statements as one transaction, at the end of the company's last day."""
    last = days_lived(lake)[-1]
    clock = datetime.combine(last, time(23, 30), UTC).isoformat(timespec="milliseconds")
    stamp = clock.replace("+00:00", "Z")
    _ask(lake, f"select pg_logical_emit_message(true, '{CLOCK_PREFIX}', '{stamp}')", *statements)


def days_lived(lake: Settings) -> list[date]:
    """The company's days, the first one is its opening."""
    return [day for (day,) in _ask(lake, "select day from demo.days order by day")]


def assert_dimensions_are_the_erps(lake: Settings) -> None:
    """Each dimension's current members, and those at the end of each day, are the ERP's rows."""
    for dimension, (table, key) in DIMENSIONS.items():
        now = [row for (row,) in _ask(lake, f"select to_jsonb(t) from {table} as t")]
        columns = sorted(now[0].keys() - NOT_ATTRIBUTES - {key})
        current = _members(lake, dimension, key, columns, "is_current")
        assert current == _of_erp(now, key, columns), dimension
        for day in days_lived(lake)[1:]:
            lsn = _number(truth.on(lake, day).lsn)
            then = (
                f"_commit_lsn_from < {lsn} and (_commit_lsn_to is null or _commit_lsn_to >= {lsn})"
            )
            expected = _of_erp(truth.rows(lake, table, day), key, columns)
            assert _members(lake, dimension, key, columns, then) == expected, (dimension, day)


def assert_marts_are_the_same(lake: Settings, other: Settings) -> None:
    """Every mart has the same rows in both lakes or engines; else the first that differ."""
    here, there = mart_hashes(lake), mart_hashes(other)
    differing = sorted(mart for mart in here.keys() | there.keys() if here[mart] != there[mart])
    assert not differing, [(mart, *_differences(lake, other, mart)) for mart in differing]


def _differences(lake: Settings, other: Settings, mart: str) -> list[tuple[Any, ...]]:
    columns: set[str] = set()
    rows = []
    for settings in (lake, other):
        with engine.database(settings) as connection:
            table = f"{engine.schema(settings, 'marts')}.{mart}"
            found = connection.execute(f"select * from {table}")
            names = [column[0] for column in found.description or ()]
            kept = [n for n, name in enumerate(names) if not name.startswith("_")]
            columns |= {names[n] for n in kept}
            rows.append({tuple(row[n] for n in kept) for row in found.fetchall()})
    return [*sorted(rows[0] - rows[1], key=repr)[:2], *sorted(rows[1] - rows[0], key=repr)[:2]]


def _members(
    lake: Settings, dimension: str, key: str, columns: list[str], condition: str
) -> Members:
    table = f"{engine.schema(lake, 'marts')}.{dimension}"
    with engine.database(lake) as connection:
        rows = connection.execute(
            f"select {key}, {', '.join(columns)} from {table}"
            f" where {condition} and not is_inferred and {key} is not null"
        ).fetchall()
    members = {row[0]: tuple(map(_plain, row[1:])) for row in rows}
    assert len(members) == len(rows), f"{dimension}: two versions of a member at once"
    return members


def _of_erp(rows: list[dict[str, Any]], key: str, columns: list[str]) -> Members:
    return {row[key]: tuple(_folded(column, row[column]) for column in columns) for row in rows}


def _folded(column: str, value: Any) -> Any:
    """Staging spells units in one way."""
    if column == "unit":
        return value.replace("²", "2").replace("³", "3")
    return _plain(value)


def _plain(value: Any) -> Any:
    """A value that is the same out of JSON and out of the engine."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float | Decimal):
        return Decimal(str(value)).normalize()
    return str(value)


def _number(lsn: str) -> int:
    high, low = lsn.split("/")
    return int(high, 16) << 32 | int(low, 16)


def _extract(lake: Settings) -> None:
    above = bronze.last_generation(lake)
    cdc.sync(lake, chain.erp_contracts(), after_generation=above)


def _ask(lake: Settings, *statements: str) -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(postgres.erp_dsn(lake))
    try:
        with connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()
