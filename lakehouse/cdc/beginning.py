"""Before the change log is read: what must hold, and what has to be snapshotted first."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from lakehouse import landing
from lakehouse.cdc import checks, connection, slot, snapshot, state
from lakehouse.cdc.checks import Needed, Server, Table
from lakehouse.cdc.connection import Erp
from lakehouse.cdc.decoder import Catalog
from lakehouse.cdc.state import State
from lakehouse.cdc.stream import Stop
from lakehouse.erp import PUBLICATION, SOURCE
from lakehouse.errors import LakehouseError, RefusedError, SettingsError
from lakehouse.settings import Settings

log = logging.getLogger("lakehouse.cdc")


@dataclass(frozen=True)
class Reading:
    """What is asked of a reading, whatever happens to its connection."""

    settings: Settings
    needed: Needed
    after_generation: int
    on_landed: Callable[[], object] = lambda: None
    stop: Stop = lambda: False
    follows: bool = False
    anew: frozenset[str] = frozenset()
    """Tables to be snapshotted although they are known."""


def prepared(reading: Reading, erp: Erp, sync_id: int) -> tuple[Server, State]:
    """Refuse what cannot be read exactly, and snapshot what was never read whole."""
    settings = reading.settings
    server = checks.server(erp, reading.needed)
    strangers = sorted(reading.anew - server.tables.keys())
    if strangers:
        raise SettingsError(
            f"publication `{PUBLICATION}` of the ERP has no table {', '.join(strangers)}",
            hint=f"name one of {', '.join(server.tables)}",
        )
    known = state.load(settings)
    if known is not None:
        checks.same_server(server, known)
    for source in (SOURCE, landing.BOUNDARIES[0]):
        landing.remove_unfinished(settings, source)
    above = max(known.last_generation if known else 0, reading.after_generation)
    if known is None or known.durable_lsn is None:
        if known is None:
            slot.assert_not_anothers(erp)
        elif slot.free(erp) is not None:
            slot.drop(erp)
        above = max(above, landing.last_generation(settings, SOURCE))
        return server, snapshot.first(settings, erp, server, known, sync_id, above, reading.stop)
    checks.not_behind(erp, known)
    slot.assert_usable(erp, known)
    known = _without_the_gone(settings, server, known)
    due = [table for table in server.tables.values() if _is_due(table, known, reading.anew)]
    if not due:
        return server, known
    return server, snapshot.more(settings, erp, due, known, sync_id, above, reading.stop)


def _is_due(table: Table, known: State, anew: frozenset[str]) -> bool:
    seen = known.tables.get(table.entity)
    return (
        seen is None
        or not seen.is_complete
        or seen.identity != table.identity
        or table.entity in anew
    )


def _without_the_gone(settings: Settings, server: Server, known: State) -> State:
    """Note which tables have left the publication: what they miss, a new snapshot will show."""
    gone = {
        name: replace(table, identity="", is_complete=False)
        for name, table in known.tables.items()
        if table.identity and name not in server.tables
    }
    if not gone:
        return known
    log.warning("no longer published by the ERP: %s", ", ".join(sorted(gone)))
    return state.save(settings, known.with_tables(gone))


def catalog(server: Server, known: State, asked: frozenset[int]) -> Catalog:
    identities = [table.identity for table in known.tables.values() if table.identity]
    oids = frozenset(int(identity.partition("/")[0]) for identity in identities)
    return Catalog(server.types, server.tables, oids, asked)


def all_anew(reading: Reading) -> Reading:
    """Every table anew: beside a slot that is of use, else with a new one and a new beginning."""
    settings = reading.settings
    with connection.connect(settings) as erp:
        server = checks.server(erp, reading.needed)
        try:
            known = state.load(settings)
        except LakehouseError:
            known = None  # damaged: what landing holds tells the generation
        try:
            if known is not None and known.durable_lsn is not None:
                checks.same_server(server, known)
                checks.not_behind(erp, known)
                slot.assert_usable(erp, known)
                return replace(reading, anew=frozenset(server.tables))
        except RefusedError as error:
            log.warning("%s", error.what)
        slot.free(erp)  # refuses one that is not ours, or in use
        tables = known.tables if known else {}
        begun = State(server.system_identifier, server.timeline, None, tables)
        state.save(settings, begun)
    return reading
