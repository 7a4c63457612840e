"""`cdc sync`: a snapshot when there is none, then every change up to now."""

from __future__ import annotations

import time
from dataclasses import dataclass

from lakehouse import landing
from lakehouse.cdc import checks, connection, snapshot, state
from lakehouse.cdc.capture import SOURCE
from lakehouse.cdc.stream import Stream
from lakehouse.settings import Settings


@dataclass(frozen=True)
class Synced:
    """What a sync delivered, and the position of the change log up to which it is durable."""

    generation: int
    snapshot_rows: int
    transactions: int
    changes: int
    durable_lsn: str


def sync(settings: Settings, *, after_generation: int = 0) -> Synced:
    """Land what the ERP has committed since the last sync; everything, the first time.

    A snapshot gets a generation of its own, above `after_generation` and all that was landed.
    """
    known = state.load(settings)
    sync_id = time.time_ns() // 1_000_000
    with connection.connect(settings) as erp:
        server = checks.server(erp)
        if known is not None:
            checks.same_server(server, known)
        for source in (SOURCE, landing.BOUNDARIES[0]):
            landing.remove_unfinished(settings, source)
        rows = 0
        if known is None or known.durable_lsn is None:
            known, rows = snapshot.take(settings, erp, server, known, sync_id, after_generation)
        else:
            checks.same_tables(server, known)
            checks.usable_slot(erp, known)
        stream = Stream(settings, erp, known, landing.Delivery(known.generation, sync_id))
        stream.read()
    decoded = stream.decoder
    return Synced(
        generation=known.generation,
        snapshot_rows=rows,
        transactions=decoded.transactions,
        changes=decoded.changes,
        durable_lsn=state.lsn_text(decoded.position),
    )
