"""Between DuckDB and PostgreSQL: the warehouse server attached, and the types that both have."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
from psycopg2.extensions import make_dsn, parse_dsn

from lakehouse import duck
from lakehouse.erp import postgres
from lakehouse.errors import LakehouseError, ServerAwayError, failure, one_line
from lakehouse.settings import Settings

TYPES = {
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "SMALLINT": "smallint",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "FLOAT": "real",
    "DOUBLE": "double precision",
    "DATE": "date",
    "BLOB": "bytea",
    "TIMESTAMP": "timestamp without time zone",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
}
"""DuckDB's types and the ones in PostgreSQL that hold the same values."""
TWINS = TYPES | {kind: kind for kind in TYPES.values()} | {"character varying": "text"}
DECIMAL = re.compile(r"(?:decimal|numeric)\((\d+), ?(\d+)\)", re.IGNORECASE)


def postgres_type(column: str, kind: str, *, mend: str) -> str:
    """The type in PostgreSQL that holds a type's values exactly, whichever engine's it is."""
    if decimal := DECIMAL.fullmatch(kind):
        return f"numeric({decimal[1]},{decimal[2]})"
    if kind not in TWINS:
        raise LakehouseError(
            f"{column} is {kind}, which has no exact twin in PostgreSQL",
            hint=f"{mend}: {', '.join(TYPES)} or a DECIMAL",
        )
    return TWINS[kind]


@contextmanager
def attached(
    connection: duckdb.DuckDBPyConnection, settings: Settings, *, read_only: bool = False
) -> Iterator[None]:
    """Have the warehouse server as DuckDB's database `warehouse`."""
    duck.load(connection, "postgres_scanner")
    mode = ", read_only" if read_only else ""
    with _without_password(postgres.warehouse_dsn(settings)) as dsn:
        quoted = dsn.replace("'", "''")
        try:
            connection.execute(f"attach '{quoted}' as warehouse (type postgres{mode})")
        except duckdb.Error as error:
            raise ServerAwayError(
                f"DuckDB cannot connect to the warehouse server: {one_line(error)}",
                hint="run `lakehouse up`, or set WAREHOUSE_DSN to a server that runs, and unset"
                " PGPASSWORD, which comes before its password; then run the same command again",
            ) from error
        try:
            yield
        except duckdb.Error as error:
            raise failure(error)(
                f"the warehouse server could not do its part: {one_line(error)}",
                hint="mend what it names, then run the same command again",
            ) from error


@contextmanager
def _without_password(dsn: str) -> Iterator[str]:
    """The address with its password in a file, which lies in memory and ends with us.

    DuckDB opens connections when it needs them, and repeats the whole address whenever one cannot
    be opened: what is not in it gets into no message, log or record.
    """
    parts = parse_dsn(dsn)
    password = parts.pop("password", None)
    if password is None:
        yield dsn
        return
    file = os.memfd_create("pgpass")
    try:
        os.fchmod(file, 0o600)  # libpq reads no other
        escaped = password.replace("\\", "\\\\").replace(":", "\\:")
        os.write(file, f"*:*:*:*:{escaped}\n".encode())
        yield make_dsn(**parts | {"passfile": f"/proc/self/fd/{file}"})
    finally:
        os.close(file)
