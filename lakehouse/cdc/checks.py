"""What must hold before a change is read; where it does not, we stop and say what helps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from lakehouse.cdc.connection import Erp, Session
from lakehouse.cdc.state import TO_START_ANEW, State, lsn_text
from lakehouse.cdc.types import Types
from lakehouse.erp import PUBLICATION, SCHEMA
from lakehouse.errors import RefusedError

Needed = Mapping[str, Sequence[str]]
"""The tables that the caller has contracts for, and the columns of each."""

_TABLES = """
select c.relname, c.oid::bigint, coalesce(r.oid, 0)::bigint, c.relreplident,
    array_agg(a.attname::text order by a.attnum), array_agg(a.atttypid::bigint order by a.attnum),
    array_agg(a.atttypmod order by a.attnum), p.rowfilter is not null,
    has_schema_privilege(n.oid, 'usage') and (
        has_table_privilege(c.oid, 'select')
        or bool_and(has_column_privilege(c.oid, a.attnum, 'select'))
    ),
    (select array_agg(k.attname::text) from pg_index as i
        inner join pg_attribute as k on k.attrelid = c.oid and k.attnum = any(i.indkey)
        where i.indrelid = c.oid and i.indisprimary),
    (select array_agg(k.attname::text) from pg_index as i
        inner join pg_attribute as k on k.attrelid = c.oid and k.attnum = any(i.indkey)
        where i.indrelid = c.oid and i.indisreplident)
from pg_publication_tables as p
inner join pg_publication as b on b.pubname = p.pubname
inner join pg_namespace as n on n.nspname = p.schemaname
inner join pg_class as c on c.relnamespace = n.oid and c.relname = p.tablename
inner join pg_attribute as a on a.attrelid = c.oid and a.attname = any(p.attnames)
left join pg_publication_rel as r on r.prpubid = b.oid and r.prrelid = c.oid
where p.pubname = %s and p.schemaname = %s
group by n.oid, c.oid, c.relname, c.relreplident, r.oid, p.rowfilter
order by c.relname
"""
# Reads only what takes no lock of a table: a migration must not stop a follower.
_OUTLINE = """
select b.pubinsert, b.pubupdate, b.pubdelete, b.pubtruncate,
    (select array_agg(r.oid::bigint order by r.oid) from pg_publication_rel as r
        where r.prpubid = b.oid),
    (select array_agg(c.oid || c.relreplident::text order by c.oid) from pg_class as c
        inner join pg_namespace as n on n.oid = c.relnamespace
        where n.nspname = %s and c.relkind in ('r', 'p') and (
            b.puballtables
            or exists (select from pg_publication_rel as r
                where r.prpubid = b.oid and r.prrelid = c.oid)
            or exists (select from pg_publication_namespace as s
                where s.pnpubid = b.oid and s.pnnspid = n.oid)
        ))
from pg_publication as b
where b.pubname = %s
"""
_TYPES = """
select oid::bigint, typtype = 'd', typbasetype::bigint, typtypmod from pg_type where oid >= 16384
"""


@dataclass(frozen=True)
class Table:
    """A published table, and the columns that the publication sends."""

    entity: str
    oid: int
    identity: str
    columns: tuple[pa.Field, ...]
    key: tuple[str, ...]


@dataclass(frozen=True)
class Server:
    """Which server answers: its identity, and what it publishes."""

    system_identifier: str
    timeline: int
    types: Types
    tables: Mapping[str, Table]
    outline: tuple[Any, ...] | None
    """See `outline`."""


def server(erp: Erp, needed: Needed) -> Server:
    """The server, if it is one whose changes can be read."""
    level = erp.session.one("select current_setting('wal_level')")
    if level != "logical":
        raise RefusedError(
            f"the ERP server writes no logical change log: wal_level is {level}",
            hint="run `alter system set wal_level = logical` there and restart it",
        )
    seen = outline(erp.session)  # before all that follows from it
    types = _types(erp.session)
    _published_as_a_whole(erp.session)
    tables = {table.entity: table for table in published(erp.session, types)}
    _contracted(tables, needed)
    with erp.hurried():
        erp.log.execute("IDENTIFY_SYSTEM")
    identity = erp.log.fetchone()
    assert identity is not None, "IDENTIFY_SYSTEM answers with a row"
    return Server(str(identity[0]), int(identity[1]), types, tables, seen)


def outline(session: Session) -> tuple[Any, ...] | None:
    """Which actions on which tables are sent, with what identifies both: cheap to ask again.

    The log says nothing of a table that leaves the publication, nor of one that came back.
    """
    return session.row(_OUTLINE, (SCHEMA, PUBLICATION))


def published(session: Session, types: Types) -> list[Table]:
    """The published tables by name, each of them with a key that identifies its rows."""
    return [_table(types, *row) for row in session.rows(_TABLES, (PUBLICATION, SCHEMA))]


def same_server(found: Server, known: State) -> None:
    """Refuse a server whose change log is not the one that was read so far."""
    if found.system_identifier != known.system_identifier:
        raise RefusedError(
            f"the ERP server is another one (system identifier {found.system_identifier}) than "
            f"was read so far ({known.system_identifier})",
            hint=f"set ERP_DSN to the server that was read; or {TO_START_ANEW}",
        )
    if found.timeline != known.timeline:
        raise RefusedError(
            f"the ERP server is on timeline {found.timeline}, and was read on {known.timeline}: "
            "it was restored or failed over, and changes may be missing",
            hint=TO_START_ANEW,
        )


def not_behind(erp: Erp, known: State) -> None:
    """Refuse a server whose log ends before what was read: it was put back to an earlier state."""
    end = erp.session.flushed_lsn()
    if end < known.position:
        raise RefusedError(
            f"the ERP's change log ends at {lsn_text(end)}, and was read up to "
            f"{known.durable_lsn}: the server was put back to an earlier state",
            hint=TO_START_ANEW,
        )


def _types(session: Session) -> Types:
    rows = session.rows(_TYPES)
    domains = {oid: (base, modifier) for oid, is_domain, base, modifier in rows if is_domain}
    return Types(domains, frozenset(oid for oid, *_ in rows))


def _published_as_a_whole(session: Session) -> None:
    actions = ("insert", "update", "delete", "truncate")
    found = session.row(
        "select pubinsert, pubupdate, pubdelete, pubtruncate from pg_publication"
        " where pubname = %s",
        (PUBLICATION,),
    )
    lacking = [action for action, is_sent in zip(actions, found or (), strict=False) if not is_sent]
    if lacking:
        raise RefusedError(
            f"publication `{PUBLICATION}` of the ERP leaves out every {' and '.join(lacking)}",
            hint=f"run `alter publication {PUBLICATION} set (publish = '{', '.join(actions)}')` "
            f"there; for what was left out, {TO_START_ANEW}",
        )


def _contracted(tables: Mapping[str, Table], needed: Needed) -> None:
    missing = sorted(needed.keys() - tables.keys())
    if missing:
        names = ", ".join(f"{SCHEMA}.{name}" for name in missing)
        verb = "alter" if tables else "create"
        raise RefusedError(
            f"publication `{PUBLICATION}` of the ERP lacks {names}",
            hint=f"run `{verb} publication {PUBLICATION} {'add' if tables else 'for'} table {names}"
            "` there, or `lakehouse demo create` for a demo company",
        )
    for entity, columns in needed.items():
        sent = [column.name for column in tables[entity].columns]
        lacking = [name for name in columns if name not in sent]
        if lacking:
            raise RefusedError(
                f"publication `{PUBLICATION}` of the ERP lacks {_dotted(entity, lacking)}, which "
                "the contract speaks of",
                hint=f"add it to {SCHEMA}.{entity} or to the publication's column list, or take it "
                f"out of the contract of erp/{entity}",
            )


def _table(types: Types, entity: str, *row: Any) -> Table:
    oid, membership, identity, names, oids, modifiers, is_filtered, may_read, *keys = row
    if is_filtered:
        raise RefusedError(
            f"publication `{PUBLICATION}` of the ERP sends only some rows of {SCHEMA}.{entity}",
            hint=f"publish {SCHEMA}.{entity} without a WHERE, then `lakehouse cdc resync {entity}`",
        )
    if not may_read:
        raise RefusedError(
            f"the role of ERP_DSN may not read {SCHEMA}.{entity} of the ERP",
            hint=f"run `grant usage on schema {SCHEMA} to` that role there, and "
            f"`grant select on {SCHEMA}.{entity} to` it",
        )
    fields = [
        pa.field(name, types.arrow(oid, modifier))
        for name, oid, modifier in zip(names, oids, modifiers, strict=True)
    ]
    key = _key(entity, identity, *keys)
    lacking = sorted(set(key) - set(names))
    if lacking:
        raise RefusedError(
            f"publication `{PUBLICATION}` of the ERP lacks {_dotted(entity, lacking)}, which is "
            "part of the key",
            hint=f"publish {SCHEMA}.{entity} with it",
        )
    return Table(entity, oid, f"{oid}/{membership}", tuple(fields), key)


def _key(
    entity: str, identity: str, primary: list[str] | None, index: list[str] | None
) -> tuple[str, ...]:
    """The columns that tell rows apart, from what REPLICA IDENTITY sends of a changed row."""
    if identity == "i" and index is not None and sorted(primary or index) == sorted(index):
        return tuple(index)
    if identity in "df" and primary is not None:
        return tuple(primary)
    why = {
        "n": "has REPLICA IDENTITY NOTHING, which does not tell which row changed",
        "i": f"is identified by ({', '.join(index or ())}), which is not its primary key",
    }.get(identity, "has no primary key, so nothing tells which row changed")
    raise RefusedError(
        f"{SCHEMA}.{entity} of the ERP {why}",
        hint=f"give it a primary key and run `alter table {SCHEMA}.{entity} replica identity "
        "default` (or full), or take it out of the publication",
    )


def _dotted(entity: str, columns: Iterable[str]) -> str:
    return ", ".join(f"{SCHEMA}.{entity}.{column}" for column in columns)
