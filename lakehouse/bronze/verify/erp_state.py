"""The ERP's tables as they were at one position of its change log."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extras import LogicalReplicationConnection

from lakehouse.cdc.state import lsn_number
from lakehouse.erp import SCHEMA, postgres
from lakehouse.errors import LakehouseError, first_line
from lakehouse.settings import Settings

NULL = r"\N"
# A value has one text: the one that DuckDB can read back without losing a digit.
_SESSION = {
    "timezone": "UTC",
    "datestyle": "ISO",
    "bytea_output": "hex",
    "extra_float_digits": "1",
}
_COLUMNS = """
select attname from pg_attribute
where attrelid = to_regclass(format('%%I.%%I', %s, %s)) and attnum > 0 and not attisdropped
    and attgenerated = ''
order by attnum
"""


@dataclass(frozen=True)
class ErpState:
    """A snapshot of the ERP that holds exactly what was committed before a position."""

    lsn: int
    session: Connection

    def columns(self, table: str) -> list[str]:
        """The columns of a table in its order; none when there is no such table."""
        with self.session.cursor() as cursor:
            cursor.execute(_COLUMNS, (SCHEMA, table))
            return [name for (name,) in cursor]

    def copy(self, table: str, columns: Sequence[str], to: Path) -> None:
        """Write a table as CSV, every value but null in quotes."""
        statement = sql.SQL("copy {} ({}) to stdout (format csv, force_quote *, null {})").format(
            sql.Identifier(SCHEMA, table),
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.Literal(NULL),
        )
        with self.session.cursor() as cursor, to.open("wb") as out:
            cursor.copy_expert(statement, out)


@contextmanager
def frozen(settings: Settings) -> Iterator[ErpState]:
    """The ERP as it is now: a slot's creation tells position and snapshot that belong together."""
    dsn = postgres.erp_dsn(settings)
    log = _open(dsn, LogicalReplicationConnection)
    try:
        session = _open(dsn, Connection)
        try:
            name = f"lakehouse_verify_{os.getpid()}_{secrets.token_hex(4)}"
            with log.cursor() as cursor:
                # Temporary: the server drops it with the connection.
                cursor.execute(
                    f"CREATE_REPLICATION_SLOT {name} TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT"
                )
                made = cursor.fetchone()
                assert made is not None, "CREATE_REPLICATION_SLOT answers with a row"
                _, point, snapshot, _ = made
            with session.cursor() as cursor:
                cursor.execute("begin isolation level repeatable read read only")
                cursor.execute("set transaction snapshot %s", (snapshot,))
            yield ErpState(lsn_number(point), session)
        finally:
            session.close()
    except psycopg2.Error as error:
        raise LakehouseError(
            f"the ERP could not be compared: {first_line(error)}",
            hint="look at the server, then run `lakehouse bronze verify` again",
        ) from error
    finally:
        log.close()


def _open(dsn: str, kind: type[Connection]) -> Connection:
    try:
        options = " ".join(f"-c {name}={value}" for name, value in _SESSION.items())
        return psycopg2.connect(
            dsn, connection_factory=kind, options=options, client_encoding="UTF8"
        )
    except psycopg2.OperationalError as error:
        raise LakehouseError(
            f"the ERP cannot be reached: {first_line(error)}",
            hint="run `lakehouse up`, or add --landing-only to prove bronze against landing alone",
        ) from error
