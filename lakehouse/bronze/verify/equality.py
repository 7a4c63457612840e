"""Bronze against the ERP: the latest state of every table, row for row, at one position."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from lakehouse.bronze import canonical_json, tables
from lakehouse.bronze.contract import Column, Contract, contracts
from lakehouse.bronze.shape import Shape, shape_of
from lakehouse.bronze.verify import latest
from lakehouse.bronze.verify.erp_state import NULL, ErpState, frozen
from lakehouse.erp import SOURCE
from lakehouse.lock import make_home
from lakehouse.settings import Settings

NAMED_KEYS = 5
MEMORY = "400MB"
_CASTS = {
    "time": "cast({} as time)",
    "bytes": "unhex(substr({}, 3))",
    "json": "canonical_json({})",
}


@dataclass(frozen=True)
class Compared:
    """One table at the position that all were compared at."""

    table: str
    erp_rows: int
    bronze_rows: int
    problems: tuple[str, ...]


def compare(settings: Settings, catch_up: Callable[[], object]) -> tuple[int, list[Compared]]:
    """Compare every contracted table of the ERP; says the position, too.

    The ERP is frozen first; `catch_up` then brings into bronze all that was committed before. It
    is called once more ahead: a first snapshot must not be younger than the position.
    """
    catch_up()
    with frozen(settings) as erp:
        catch_up()
        make_home(settings)
        with (
            tempfile.TemporaryDirectory(dir=settings.home, prefix=".verify-") as folder,
            tables.reading(settings) as connection,
        ):
            connection.execute(f"set memory_limit = '{MEMORY}'")
            connection.execute(f"set temp_directory = '{folder}'")
            connection.create_function(
                "canonical_json", canonical_json.text, ["VARCHAR"], "VARCHAR"
            )
            compared = [
                _compare(settings, connection, erp, contract, Path(folder))
                for contract in contracts()
                if contract.source == SOURCE and contract.delivers == "changes"
            ]
        return erp.lsn, compared


def _compare(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    erp: ErpState,
    contract: Contract,
    folder: Path,
) -> Compared:
    in_erp = erp.columns(contract.entity)
    uri = tables.table_uri(settings, contract.source, contract.entity)
    if not in_erp or not tables.exists(uri):
        where = "the ERP" if not in_erp else "bronze"
        return Compared(contract.name, 0, 0, (f"there is no such table in {where}",))
    shape = shape_of(contract, pa.schema(tables.opened(uri).schema()), uri)
    columns = [column for column in shape.own if column.name in in_erp]
    names = [column.name for column in columns]
    problems = [
        f"column {name} of the ERP is not in bronze" for name in in_erp if name not in names
    ]
    missing_key = [name for name in contract.key if name not in names]
    if missing_key:
        problems += [f"key column {name} is not in the ERP" for name in missing_key]
        return Compared(contract.name, 0, 0, tuple(problems))
    csv = folder / "table.csv"
    erp.copy(contract.entity, names, csv)
    _read(connection, columns, csv)
    csv.unlink()
    latest.alive(settings, connection, contract, names, erp.lsn)
    problems += _differences(connection, shape, columns)
    counts = connection.execute(
        "select (select count(*) from erp), (select count(*) from lake)"
    ).fetchone()
    assert counts is not None, "a count is a row"
    return Compared(contract.name, counts[0], counts[1], tuple(problems))


def _read(connection: duckdb.DuckDBPyConnection, columns: list[Column], csv: Path) -> None:
    """Make the temporary table `erp` of the CSV, in the types that bronze has."""
    texts = ", ".join(f"'{column.name}': 'VARCHAR'" for column in columns)
    casts = ", ".join(f'{_cast(column)} as "{column.name}"' for column in columns)
    connection.execute(
        f"""
        create or replace temp table erp as
        select {casts} from read_csv(
            ?, columns = {{{texts}}}, header = false, delim = ',', quote = '"', escape = '"',
            nullstr = ?, allow_quoted_nulls = false, new_line = '\\n', auto_detect = false,
            parallel = false, max_line_size = 33554432, buffer_size = 67108864
        )
        """,
        [str(csv), NULL],
    )


def _cast(column: Column) -> str:
    """A column of PostgreSQL's texts as bronze stores it; null, and so a difference, if none."""
    kind, name = column.kind, f'"{column.name}"'
    if kind.kind in _CASTS:
        return _CASTS[kind.kind].format(name)
    if kind.kind == "decimal":
        return f"try_cast({name} as decimal({kind.stored.precision}, {kind.stored.scale}))"
    names = {"text": "varchar", "varchar": "varchar", "uuid": "varchar", "timestamp": "timestamptz"}
    plain = names.get(kind.kind, kind.kind)
    return f"try_cast({name} as {plain})"


def _differences(
    connection: duckdb.DuckDBPyConnection, shape: Shape, columns: list[Column]
) -> Iterator[str]:
    """Keys of rows that only one side has as they are, both ways."""
    own = ", ".join(_comparable(column) for column in columns)
    key = ", ".join(f'"{name}"' for name in shape.contract.key)
    for side, other in (("erp", "lake"), ("lake", "erp")):
        erp_cast = f"(select {own} from {side} except all select {own} from {other})"
        rows = connection.execute(
            f"select count(*) over (), {key} from {erp_cast} order by {key} limit {NAMED_KEYS}"
        ).fetchall()
        if rows:
            keys = ", ".join("/".join(map(str, found)) for _, *found in rows)
            more = ", …" if rows[0][0] > len(rows) else ""
            where = "the ERP" if side == "erp" else "bronze"
            yield f"{rows[0][0]:,} rows are so only in {where}: {keys}{more}"


def _comparable(column: Column) -> str:
    """A stored value so that equal ones compare equal: a time of day is text in bronze."""
    name = f'"{column.name}"'
    return f"cast({name} as time) as {name}" if column.kind.kind == "time" else name
