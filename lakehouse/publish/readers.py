"""Let the roles of people and dashboards read the served marts, and no others.

The right to a schema is given when it begins to be served and taken when it ends: what has not
passed the gate, or was withdrawn, is nobody's to read.
"""

from __future__ import annotations

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from lakehouse.progress import log

ROLES = ("planner", "bi_reader")


def let_in(cursor: Cursor, schema: str) -> None:
    """Let the readers' roles read every table of a schema; roles that are missing are made."""
    _make_missing(cursor)
    _for_roles(cursor, "grant usage on schema {schema} to {roles}", schema)
    _for_roles(cursor, "grant select on all tables in schema {schema} to {roles}", schema)


def keep_out(cursor: Cursor, schema: str) -> None:
    """Take the schema from them again."""
    _for_roles(cursor, "revoke usage on schema {schema} from {roles}", schema)


def _make_missing(cursor: Cursor) -> None:
    present = _present(cursor)
    for role in ROLES:
        if role in present:
            continue
        cursor.execute("savepoint before_role")
        try:
            cursor.execute(sql.SQL("create role {} nologin").format(sql.Identifier(role)))
        except (psycopg2.errors.DuplicateObject, psycopg2.errors.UniqueViolation):
            # A publish of another database of this server was a moment faster.
            cursor.execute("rollback to savepoint before_role")
        except psycopg2.errors.InsufficientPrivilege:
            cursor.execute("rollback to savepoint before_role")
            log.warning(
                "role %s is missing and the user of WAREHOUSE_DSN may not make it, so it reads"
                " nothing: let an administrator run `create role %s nologin`, then publish again",
                role,
                role,
            )


def _for_roles(cursor: Cursor, statement: str, schema: str) -> None:
    roles = [sql.Identifier(role) for role in _present(cursor)]
    if roles:
        cursor.execute(
            sql.SQL(statement).format(
                schema=sql.Identifier(schema), roles=sql.SQL(", ").join(roles)
            )
        )


def _present(cursor: Cursor) -> list[str]:
    cursor.execute(
        "select rolname from pg_roles where rolname = any(%s) order by 1", (list(ROLES),)
    )
    return [role for (role,) in cursor]
