"""What must hold before a change is read; where it does not, we stop and say what helps."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pyarrow as pa
from psycopg2.extensions import connection as Connection

from lakehouse.cdc.connection import PUBLICATION, SCHEMA, SLOT, Erp
from lakehouse.cdc.state import TO_START_ANEW, State, lsn_text
from lakehouse.cdc.types import arrow_type
from lakehouse.errors import RefusedError

NEEDED = ("inventory", "items", "stock_movements", "towers")
"""The tables that bronze has contracts for."""

_RELEASE_TIMEOUT_S = 10.0  # a reader that was killed holds the slot for a moment longer
_TABLES = """
select c.relname, c.relreplident = 'd' and exists (
    select from pg_index as i where i.indrelid = c.oid and i.indisprimary
), array_agg(a.attname::text order by a.attnum), array_agg(a.atttypid::bigint order by a.attnum),
array_agg(a.atttypmod order by a.attnum)
from pg_publication_tables as p
inner join pg_class as c on c.oid = format('%%I.%%I', p.schemaname, p.tablename)::regclass
inner join pg_attribute as a on a.attrelid = c.oid and a.attname = any(p.attnames)
where p.pubname = %s and p.schemaname = %s
group by c.oid, c.relname, c.relreplident
order by c.relname
"""
_SLOT = """
select plugin, database = current_database(), active_pid, wal_status,
    (confirmed_flush_lsn - '0/0')::bigint
from pg_replication_slots where slot_name = %s
"""


@dataclass(frozen=True)
class Table:
    """A published table, and the columns that the publication sends."""

    entity: str
    columns: tuple[pa.Field, ...]


@dataclass(frozen=True)
class Server:
    """Which server answers: its identity, and what it publishes."""

    system_identifier: str
    timeline: int
    tables: tuple[str, ...]


def server(erp: Erp) -> Server:
    """The server, if it is one whose changes can be read."""
    level = erp.row("select current_setting('wal_level')")
    if level != ("logical",):
        raise RefusedError(
            f"the ERP server writes no logical change log: wal_level is {level and level[0]}",
            hint="run `alter system set wal_level = logical` there and restart it",
        )
    found = published(erp.session)
    missing = sorted(set(NEEDED) - {table.entity for table in found})
    if missing:
        names = ", ".join(f"{SCHEMA}.{name}" for name in missing)
        verb = "alter" if found else "create"
        raise RefusedError(
            f"publication `{PUBLICATION}` of the ERP lacks {names}",
            hint=f"run `{verb} publication {PUBLICATION} {'add' if found else 'for'} table {names}`"
            " there, or `lakehouse demo create` for a demo company",
        )
    erp.log.execute("IDENTIFY_SYSTEM")
    identity = erp.log.fetchone()
    assert identity is not None, "IDENTIFY_SYSTEM answers with a row"
    return Server(str(identity[0]), int(identity[1]), tuple(table.entity for table in found))


def published(session: Connection) -> list[Table]:
    """The published tables by name, each of them with a primary key that identifies its rows."""
    with session.cursor() as cursor:
        cursor.execute(_TABLES, (PUBLICATION, SCHEMA))
        rows = cursor.fetchall()
    for entity, is_identified, *_ in rows:
        if not is_identified:
            raise RefusedError(
                f"{SCHEMA}.{entity} of the ERP does not tell which row changed by a primary key",
                hint=f"give it a primary key and run `alter table {SCHEMA}.{entity} replica "
                "identity default`, or take it out of the publication",
            )
    return [
        Table(entity, tuple(map(pa.field, names, map(arrow_type, types, modifiers))))
        for entity, _, names, types, modifiers in rows
    ]


def same_server(found: Server, known: State) -> None:
    """Refuse a server whose change log is not the one that was read so far."""
    if found.system_identifier != known.system_identifier:
        raise RefusedError(
            f"the ERP server is another one (system identifier {found.system_identifier}) than "
            f"was read so far ({known.system_identifier})",
            hint=f"set ERP_DSN to the server that was read; {TO_START_ANEW}",
        )
    if found.timeline != known.timeline:
        raise RefusedError(
            f"the ERP server is on timeline {found.timeline}, and was read on {known.timeline}: "
            "it was restored or failed over, and changes may be missing",
            hint=TO_START_ANEW,
        )


def same_tables(found: Server, known: State) -> None:
    """Refuse a table that came or went after the snapshot: its rows of before would be missing."""
    changed = sorted(set(found.tables) ^ set(known.tables))
    if changed:
        raise RefusedError(
            f"publication `{PUBLICATION}` gained or lost {', '.join(changed)} since the snapshot",
            hint=f"undo that in the ERP; {TO_START_ANEW}",
        )


def usable_slot(erp: Erp, known: State) -> None:
    """Refuse a slot that cannot, or can no longer, give every change since the last one."""
    found = free_slot(erp)
    if found is None:
        raise RefusedError(
            f"the ERP's replication slot `{SLOT}` is gone; changes since "
            f"{known.durable_lsn} may be lost",
            hint=TO_START_ANEW,
        )
    wal_status, confirmed = found
    if wal_status == "lost":
        raise RefusedError(
            f"the ERP has removed changes that its slot `{SLOT}` still needed",
            hint=f"raise max_slot_wal_keep_size there; {TO_START_ANEW}",
        )
    if confirmed > known.position:
        raise RefusedError(
            f"the ERP's slot `{SLOT}` stands at {lsn_text(confirmed)}, but changes are here only "
            f"up to {known.durable_lsn}: something else has read from it",
            hint=TO_START_ANEW,
        )


def unknown_slot(erp: Erp) -> None:
    """Refuse to take over a slot that may be another lake's."""
    if free_slot(erp) is not None:
        raise RefusedError(
            f"the ERP has a replication slot `{SLOT}` that this lake knows nothing of; another "
            "lake may read from it",
            hint=f"if none does: {TO_START_ANEW}",
        )


def free_slot(erp: Erp) -> tuple[str, int] | None:
    """WAL status and confirmed position of our slot, once nobody reads from it; None if absent."""
    deadline = time.monotonic() + _RELEASE_TIMEOUT_S
    while (found := erp.row(_SLOT, (SLOT,))) is not None:
        plugin, is_here, reader, wal_status, confirmed = found
        if plugin != "pgoutput" or not is_here:
            raise RefusedError(
                f"the ERP's replication slot `{SLOT}` is of another plugin or database",
                hint=TO_START_ANEW,
            )
        if reader is None:
            return str(wal_status), int(confirmed)
        if time.monotonic() > deadline:
            raise RefusedError(
                f"the ERP's replication slot `{SLOT}` is in use by its process {reader}",
                hint="stop that reader, then run the same command again",
            )
        time.sleep(0.05)
    return None
