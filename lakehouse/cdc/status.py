"""How far behind the reader is, and what the ERP keeps for it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from lakehouse.cdc import state
from lakehouse.cdc.connection import SLOT, Session
from lakehouse.cdc.state import TO_START_ANEW
from lakehouse.erp import postgres
from lakehouse.lock import READER, holder
from lakehouse.settings import Settings

_PATIENCE_S = 10.0
_WARN_AT = 0.5
"""Of the log that the server keeps for a slot at most."""
_UNLIMITED_WARN_BYTES = 4 << 30
_QUERY = """
select (pg_current_wal_flush_lsn() - '0/0')::bigint, s.active_pid, s.wal_status,
    pg_current_wal_lsn() - s.restart_lsn, (s.confirmed_flush_lsn - '0/0')::bigint,
    pg_size_bytes(nullif(current_setting('max_slot_wal_keep_size'), '-1')),
    s.slot_name is not null
from (select) as one
left join pg_replication_slots as s on s.slot_name = %s
"""


@dataclass(frozen=True)
class Status:
    """The reader and its slot, as they are now."""

    reader: str | None
    """Who reads now; None if nobody does."""
    durable_lsn: str | None
    lag_bytes: int | None
    """How much log the ERP has written behind the last durable position."""
    lag_seconds: float | None
    """How long ago everything was here; 0 when it is."""
    slot: str
    """`missing`, or the server's word: reserved, extended, unreserved, lost."""
    slot_active_pid: int | None
    retained_wal_bytes: int | None
    retained_wal_limit_bytes: int | None
    """At this much the server gives the slot up; None means that it fills its disk instead."""
    warning: str | None
    generations: Mapping[str, int]
    unfinished: tuple[str, ...]
    """Tables whose snapshot is not complete, or that left the publication."""


def status(settings: Settings) -> Status:
    """Ask the ERP and the reader's own memory; changes nothing."""
    known = state.load(settings)
    session = Session(postgres.erp_dsn(settings), _PATIENCE_S)
    try:
        end, pid, wal_status, retained, confirmed, limit, exists = session.rows(_QUERY, (SLOT,))[0]
    finally:
        session.close()
    tables = known.tables if known else {}
    has_begun = known is not None and known.durable_lsn is not None
    lag = max(0, int(end) - known.position) if known is not None and has_begun else None
    # The slot moves past what is not ours without a change; only the server knows of that.
    is_up_to_date = lag == 0 or (confirmed is not None and confirmed >= end)
    saved = known.saved_at if known else 0.0
    return Status(
        reader=holder(settings, READER),
        durable_lsn=known.durable_lsn if known else None,
        lag_bytes=lag,
        lag_seconds=(
            None if lag is None else 0.0 if is_up_to_date else max(0.0, time.time() - saved)
        ),
        slot=str(wal_status or "unknown") if exists else "missing",
        slot_active_pid=pid,
        retained_wal_bytes=None if retained is None else int(retained),
        retained_wal_limit_bytes=None if limit is None else int(limit),
        warning=_warning(wal_status, retained, limit) if exists or has_begun else None,
        generations={name: table.generation for name, table in sorted(tables.items())},
        unfinished=tuple(sorted(n for n, table in tables.items() if not table.is_complete)),
    )


def _warning(wal_status: str | None, retained: int | None, limit: int | None) -> str | None:
    if wal_status is None:
        return f"the ERP has no slot `{SLOT}` any more: {TO_START_ANEW}"
    if wal_status == "lost":
        return f"the ERP has removed changes that its slot `{SLOT}` needed: {TO_START_ANEW}"
    if wal_status == "unreserved":
        return "the ERP removes changes that were not read yet: run `lakehouse cdc sync` now"
    if retained is not None and retained > (limit * _WARN_AT if limit else _UNLIMITED_WARN_BYTES):
        of = f" of at most {limit >> 20} MB" if limit else ", and nothing limits it"
        return (
            f"the ERP keeps {int(retained) >> 20} MB of log for the reader{of}: run `lakehouse cdc "
            "sync`, or look for a transaction that is open for long"
        )
    return None
