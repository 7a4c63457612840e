"""The rows that are alive in a bronze table just before a position, by the change log's own order.

Boundaries end what was before them, a delete ends its key, of two rows at one position one counts,
and a value that did not change is the last one known, under the old key where the key changed.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from lakehouse.bronze.contract import Contract
from lakehouse.landing import BOUNDARIES
from lakehouse.settings import Settings

BEGINNING = ""
COUNTS = "({lsn} < ? or ({lsn} = ? and {kind} = 'snapshot'))"
"""What was committed before a position counts: the log goes on with a commit right at it, and a
snapshot at it holds what was before."""
MOST_MOVES = 1_000
"""A key that changed more often in a row is a loop, and no history."""


def alive(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    columns: Sequence[str],
    lsn: int,
) -> None:
    """Make the temporary table `lake`: these columns of the rows alive just before the position."""
    key, own = _list(contract.key), _list(columns)
    _read_log(settings, connection, contract, columns, lsn)
    marked = connection.execute(
        "select distinct unnest(string_split(trim(unchanged, '|'), '|')) from log"
        " where unchanged <> ''"
    ).fetchall()
    for (column,) in marked:
        if column in columns:
            _repair(connection, contract, column)
    connection.execute(
        f"""
        create or replace temp table lake as
        select {own} from (
            select * from log
            qualify row_number() over (partition by {key} order by _cdc_seq desc) = 1
        ) where _cdc_op <> 'delete'
        """
    )


def _read_log(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    columns: Sequence[str],
    lsn: int,
) -> None:
    """Make the temporary table `log`: the changes since the last boundary, one a position."""
    uri = f"{settings.bronze_uri}/{contract.name}"
    start = _start(settings, connection, contract, uri, lsn)
    key, own = _list(contract.key), _list(columns)
    connection.execute(
        f"""
        create or replace temp table log as
        select row_number() over () as n, {own}, _cdc_seq, _cdc_op,
            coalesce(_cdc_unchanged, '') as unchanged
        from delta_scan(?)
        where {COUNTS.format(lsn="coalesce(_cdc_commit_lsn, 0)", kind="_cdc_op")} and _cdc_seq >= ?
        qualify row_number() over (
            partition by {key}, _cdc_seq
            order by _cdc_op = 'delete' desc, _airbyte_extracted_at,
                md5(cast(({own}, _cdc_unchanged) as text))
        ) = 1
        """,
        [uri, lsn, lsn, start],
    )


def _start(
    settings: Settings,
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    uri: str,
    lsn: int,
) -> str:
    """The position of the last boundary that counts: nothing from before it is alive."""
    boundaries_uri = f"{settings.bronze_uri}/{'/'.join(BOUNDARIES)}"
    boundaries = connection.execute(
        f"""
        select distinct seq, kind, row_count from delta_scan(?)
        where source = ? and entity = ? and {COUNTS.format(lsn="commit_lsn", kind="kind")}
        order by seq desc
        """,
        [boundaries_uri, contract.source, contract.entity, lsn, lsn],
    ).fetchall()
    for seq, kind, rows in boundaries:
        if kind == "truncate":
            return str(seq)
        keys = connection.execute(
            f"select count(*) from (select distinct {_list(contract.key)}"
            " from delta_scan(?) where _cdc_seq = ?)",
            [uri, seq],
        ).fetchone()
        if keys == (rows,):
            return str(seq)
    return BEGINNING


def _repair(connection: duckdb.DuckDBPyConnection, contract: Contract, column: str) -> None:
    """Put the last known value where one did not change; first where a key has just changed."""
    name, key = _quoted(column), _list(contract.key)
    is_marked = f"contains(unchanged, '|{column}|')"
    filled = f"""
        select n, _cdc_seq, _cdc_op, {key}, {is_marked} as is_marked, last_value(
            case
                when _cdc_op = 'delete' then struct_pack(v := {name}, is_end := true)
                when not {is_marked} then struct_pack(v := {name}, is_end := false)
            end ignore nulls
        ) over (partition by {key} order by _cdc_seq rows unbounded preceding) as known
        from log
    """
    arrivals = f"""
        with filled as ({filled}), ended as (
            select _cdc_seq, _cdc_op,
                lag(known) over (partition by {key} order by _cdc_seq) as before
            from filled
        )
        select arrived.n, any_value(ended.before) as before
        from filled as arrived
        inner join ended on ended._cdc_seq = arrived._cdc_seq and ended._cdc_op = 'delete'
        where arrived.is_marked and arrived._cdc_op <> 'delete'
            and coalesce(arrived.known.is_end, true) and not coalesce(ended.before.is_end, true)
        group by arrived.n
    """
    update = f"""
        update log set {name} = found.before.v, unchanged = replace(unchanged, '|{column}|', '|')
        from ({{}}) as found where log.n = found.n
    """
    for _ in range(MOST_MOVES):
        moved = connection.execute(update.format(arrivals)).fetchone()
        if moved == (0,):
            break
    known = f"""
        select n, known as before from ({filled})
        where is_marked and _cdc_op <> 'delete' and not coalesce(known.is_end, true)
    """
    connection.execute(update.format(known))


def _list(names: Sequence[str]) -> str:
    return ", ".join(map(_quoted, names))


def _quoted(name: str) -> str:
    return f'"{name}"'
