"""Our replication slot: made, found usable, or refused with its reason."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from psycopg2 import sql

from lakehouse.cdc.connection import SLOT, Erp
from lakehouse.cdc.state import TO_START_ANEW, State, lsn_number, lsn_text
from lakehouse.errors import RefusedError

log = logging.getLogger("lakehouse.cdc")

_RELEASE_TIMEOUT_S = 10.0  # a reader that was killed holds the slot for a moment longer
_OPEN = """
select pid, xact_start from pg_stat_activity where backend_xid is not null order by xact_start
"""
_SLOT = """
select s.plugin, s.slot_type, coalesce(s.database = current_database(), false), s.active_pid,
    a.application_name, host(a.client_addr), s.wal_status,
    (s.confirmed_flush_lsn - '0/0')::bigint
from pg_replication_slots as s
left join pg_stat_activity as a on a.pid = s.active_pid
where s.slot_name = %s
"""


class SlotInUseError(RefusedError):
    """Somebody reads from the slot; it may be our own connection that the server has not missed."""


@dataclass(frozen=True)
class Slot:
    """Our slot, which nobody reads from."""

    wal_status: str
    confirmed: int


def create(erp: Erp, name: str = SLOT, *, is_temporary: bool = False) -> tuple[int, str]:
    """Make a slot; its position, and a snapshot of that moment that lives until the next command.

    Waits for the transactions that are open now, and says so.
    """
    for pid, since in erp.session.rows(_OPEN):
        log.warning("waiting for process %s of the ERP, in a transaction since %s", pid, since)
    kind = sql.SQL("TEMPORARY " if is_temporary else "")
    command = sql.SQL("CREATE_REPLICATION_SLOT {} {}LOGICAL pgoutput EXPORT_SNAPSHOT")
    erp.log.execute(command.format(sql.Identifier(name), kind))
    made = erp.log.fetchone()
    assert made is not None, "CREATE_REPLICATION_SLOT answers with a row"
    _, point, snapshot, _ = made
    return lsn_number(point), str(snapshot)


def drop(erp: Erp, name: str = SLOT) -> None:
    """Drop a slot that nobody reads from."""
    with erp.hurried():
        erp.log.execute(sql.SQL("DROP_REPLICATION_SLOT {}").format(sql.Identifier(name)))


def assert_usable(erp: Erp, known: State) -> None:
    """Refuse a slot that cannot, or can no longer, give every change since the last one."""
    found = free(erp)
    if found is None:
        raise RefusedError(
            f"the ERP's replication slot `{SLOT}` is gone; changes since "
            f"{known.durable_lsn} may be lost",
            hint=TO_START_ANEW,
        )
    if found.wal_status == "lost":
        raise RefusedError(
            f"the ERP has removed changes that its slot `{SLOT}` still needed",
            hint=f"raise max_slot_wal_keep_size there; {TO_START_ANEW}",
        )
    if found.confirmed > known.position:
        raise RefusedError(
            f"the ERP's slot `{SLOT}` stands at {lsn_text(found.confirmed)}, but changes are here "
            f"only up to {known.durable_lsn}: something else has read from it",
            hint=TO_START_ANEW,
        )


def assert_not_anothers(erp: Erp) -> None:
    """Refuse to take over a slot that may be another lake's."""
    if free(erp) is not None:
        raise RefusedError(
            f"the ERP has a replication slot `{SLOT}` that this lake knows nothing of; another "
            "lake may read from it",
            hint=f"if none does: {TO_START_ANEW}",
        )


def free(erp: Erp) -> Slot | None:
    """Our slot, once nobody reads from it; None if there is none."""
    deadline = time.monotonic() + _RELEASE_TIMEOUT_S
    while (found := erp.session.row(_SLOT, (SLOT,))) is not None:
        plugin, kind, is_here, reader, program, host, wal_status, confirmed = found
        if kind != "logical" or plugin != "pgoutput" or not is_here:
            what = "a physical one" if kind != "logical" else f"of plugin {plugin}"
            what = what if is_here or kind != "logical" else "of another database"
            raise RefusedError(
                f"the ERP's replication slot `{SLOT}` is {what}: it is not ours",
                hint=f"if nobody needs it, run `select pg_drop_replication_slot('{SLOT}')` there; "
                f"then {TO_START_ANEW}",
            )
        if reader is None:
            return Slot(str(wal_status), int(confirmed or 0))
        if time.monotonic() > deadline:
            who = f"`{program}`" if program else "a program without a name"
            raise SlotInUseError(
                f"the ERP's replication slot `{SLOT}` is in use by {who} from "
                f"{host or 'that machine'}, its process {reader}",
                hint="stop that reader, then run the same command again",
            )
        time.sleep(0.05)
    return None
