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
VIEWS = """
    with recursive readers (oid) as (
        select oid from pg_class where relnamespace = to_regnamespace(%(schema)s)
        union
        select ev_class from pg_rewrite join pg_depend on classid = 'pg_rewrite'::regclass
            and pg_depend.objid = pg_rewrite.oid and refclassid = 'pg_class'::regclass
        join readers on readers.oid = refobjid
    )
    select format('%%I.%%I', nspname, relname) from readers
    join pg_class using (oid) join pg_namespace on pg_namespace.oid = relnamespace
    where relkind in ('v', 'm') order by 1
"""


def let_in(cursor: Cursor, schema: str) -> None:
    """Let the readers' roles read every table of a schema; roles that are missing are made."""
    _make_missing(cursor)
    _for_roles(cursor, "grant usage on schema {schema} to {roles}", schema)
    _for_roles(cursor, "grant select on all tables in schema {schema} to {roles}", schema)


def keep_out(cursor: Cursor, schema: str) -> None:
    """Take the schema from them again."""
    _for_roles(cursor, "revoke usage on schema {schema} from {roles}", schema)


def tell_of_views(cursor: Cursor, schema: str, become: str) -> None:
    """Name the views that people made upon a schema, as it is about to change under them."""
    cursor.execute(VIEWS, {"schema": schema})
    views = [view for (view,) in cursor]
    if views:
        log.warning(
            "%s: made upon marts of before, %s; to read what is served, create it anew (see"
            " `Views of your own` in docs/publishing.md)",
            ", ".join(views),
            become,
        )


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
