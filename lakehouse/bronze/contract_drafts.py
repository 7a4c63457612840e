"""A first contract for a table of the ERP, out of its catalogue; then it is kept by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import psycopg2
import yaml
from psycopg2.extensions import connection as Connection

from lakehouse.bronze import contract
from lakehouse.erp import SCHEMA, SOURCE, postgres
from lakehouse.errors import LakehouseError, RefusedError, first_line
from lakehouse.settings import Settings

_TABLES = """
select c.relname, obj_description(c.oid, 'pg_class')
from pg_class as c
where c.relnamespace = %s::regnamespace and c.relkind in ('r', 'p')
order by c.relname
"""
_COLUMNS = """
select
    a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    col_description(a.attrelid, a.attnum), coalesce(array_position(i.indkey::int2[], a.attnum), -1)
from pg_attribute as a
left join pg_index as i on i.indrelid = a.attrelid and i.indisprimary
where a.attrelid = format('%%I.%%I', %s, %s)::regclass
    and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
order by a.attnum
"""
_TYPES = {
    "smallint": "smallint",
    "integer": "integer",
    "bigint": "bigint",
    "boolean": "boolean",
    "date": "date",
    "time without time zone": "time",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "real": "real",
    "double precision": "double",
    "bytea": "bytes",
    "uuid": "uuid",
    "json": "json",
    "jsonb": "json",
}
_ONE_ROW = re.compile(r"^(.*?)[:;] one row (an? .+?)\.?$", re.DOTALL)


@dataclass(frozen=True)
class Draft:
    """A contract as the catalogue tells it, and where it would lie."""

    entity: str
    path: Path
    text: str


def drafts(settings: Settings, tables: Sequence[str] = ()) -> list[Draft]:
    """A contract for each of these tables of the ERP, or for all of them."""
    try:
        with psycopg2.connect(postgres.erp_dsn(settings)) as session, session.cursor() as cursor:
            cursor.execute(_TABLES, (SCHEMA,))
            comments = dict(cursor.fetchall())
            for table in tables:
                if table not in comments:
                    raise _unknown(table, list(comments))
            wanted = tables or list(comments)
            return [_draft(session, table, comments[table] or "") for table in wanted]
    except psycopg2.OperationalError as error:
        raise LakehouseError(
            f"the ERP cannot be reached: {first_line(error)}",
            hint="run `lakehouse up`, or set ERP_DSN to a server that does",
        ) from error


def write(drafts: Sequence[Draft], *, replace: bool) -> None:
    """Put contracts in their place; one that is there is kept by hand, and stays unless asked."""
    there = [draft for draft in drafts if draft.path.exists()]
    if there and not replace:
        raise RefusedError(
            f"there are contracts already: {', '.join(draft.entity for draft in there)}",
            hint="compare with what `lakehouse bronze contract TABLE` prints, or add --replace",
        )
    for draft in drafts:
        draft.path.parent.mkdir(parents=True, exist_ok=True)
        draft.path.write_text(draft.text, "utf8")


def _unknown(table: str, tables: list[str]) -> LakehouseError:
    near = get_close_matches(table, tables, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    return LakehouseError(
        f"the ERP has no table {table!r} in schema {SCHEMA}{meant}",
        hint=f"name one of {', '.join(tables)}" if tables else "run `lakehouse demo create`",
    )


def _draft(session: Connection, table: str, comment: str) -> Draft:
    with session.cursor() as cursor:
        cursor.execute(_COLUMNS, (SCHEMA, table))
        rows = cursor.fetchall()
    key = [name for name, *_, place in sorted(rows, key=lambda row: row[-1]) if place >= 0]
    if not key:
        raise LakehouseError(
            f"{SCHEMA}.{table} of the ERP has no primary key, so nothing names its rows",
            hint=f"give it one: `alter table {SCHEMA}.{table} add primary key (…)`",
        )
    lines = [*_heading(table, comment), f"key: [{', '.join(key)}]", "columns:"]
    for name, kind, is_required, description, _ in rows:
        lines += [f"  - name: {name}", f"    type: {_type(table, name, kind)}"]
        if not is_required:
            lines.append("    nullable: true")
        lines.append(f"    description: {_scalar(description or f'{name} of {table}.')}")
    path = contract.FOLDER / SOURCE / f"{table}.yml"
    return Draft(table, path, "\n".join(lines) + "\n")


def _heading(table: str, comment: str) -> list[str]:
    said = _ONE_ROW.match(comment)
    description = f"{said[1]}." if said else comment or f"Table {table} of the ERP."
    grain = f"One row per change of {said[2] if said else f'a row of {table}'}."
    return [
        f"description: {_scalar(description)}",
        f"grain: {_scalar(grain)}",
        "delivers: changes",
    ]


def _type(table: str, column: str, kind: str) -> str:
    if kind == "numeric":
        raise LakehouseError(
            f"{SCHEMA}.{table}.{column} of the ERP is numeric without a scale, which has no type"
            " that every engine reads alike",
            hint=f"give it one: `alter table {SCHEMA}.{table} alter {column} type numeric(p, s)`",
        )
    if kind.startswith("numeric"):
        return kind.replace("numeric", "decimal")
    if kind.startswith("character varying("):
        return kind.replace("character varying", "varchar")
    return _TYPES.get(kind, "text")


def _scalar(text: str) -> str:
    """Text as YAML, in quotes only where it would mean something else without them."""
    plain = " ".join(text.split())
    try:
        safe = yaml.safe_load(f"key: {plain}") == {"key": plain}
    except yaml.YAMLError:
        safe = False
    return plain if safe else json.dumps(plain, ensure_ascii=False)
