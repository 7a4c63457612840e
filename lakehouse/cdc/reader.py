"""`cdc sync`, `cdc sync --follow` and `cdc resync`: what the reader is asked to do."""

from __future__ import annotations

import logging
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType

from lakehouse.cdc import checks, connection, state
from lakehouse.cdc.beginning import Reading, all_anew, catalog, prepared
from lakehouse.cdc.checks import Needed, Server
from lakehouse.cdc.connection import ConnectionLostError, Erp, Session, UnreachableError
from lakehouse.cdc.decoder import CatalogChangedError
from lakehouse.cdc.slot import SlotInUseError
from lakehouse.cdc.snapshot import StoppedError
from lakehouse.cdc.state import State
from lakehouse.cdc.stream import Stop, Stream
from lakehouse.cdc.worker import Worker
from lakehouse.erp import postgres
from lakehouse.errors import LakehouseError
from lakehouse.lock import READER, LockHeldError, holder, reader_lock
from lakehouse.progress import progress
from lakehouse.settings import Settings

log = logging.getLogger("lakehouse.cdc")

NOTHING_NEEDED: Needed = MappingProxyType({})
_TURN_S = 0.000_5
_FOLLOW_LAND_S = 0.25
_FOLLOW_BEAT_S = 10.0
_BACK_OFF_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_STANDSTILL_S = 300.0


@dataclass(frozen=True)
class Synced:
    """What a sync delivered, and the position of the change log up to which it is durable."""

    generation: int
    snapshot_rows: int
    transactions: int
    changes: int
    durable_lsn: str


def sync(
    settings: Settings, needed: Needed = NOTHING_NEEDED, *, after_generation: int = 0
) -> Synced:
    """Land what the ERP has committed since the last sync; everything, the first time.

    A snapshot gets a generation of its own, above `after_generation` and all that was landed.
    While another process reads, wait until it has come as far as the ERP is now.
    """
    while True:
        try:
            with reader_lock(settings, "lakehouse cdc sync"):
                return _catch_up(Reading(settings, needed, after_generation))
        except LockHeldError:
            synced = _wait_for_the_other(settings)
            if synced is not None:
                return synced


def resync(
    settings: Settings,
    tables: Iterable[str] = (),
    needed: Needed = NOTHING_NEEDED,
    *,
    after_generation: int = 0,
) -> Synced:
    """Snapshot tables anew; without names all of them, whatever became of the slot or the server.

    What was delivered before keeps its generation: the new one's boundaries end it.
    """
    reading = Reading(settings, needed, after_generation, anew=frozenset(tables))
    with reader_lock(settings, "lakehouse cdc resync"):
        return _catch_up(reading if reading.anew else all_anew(reading))


def follow(
    settings: Settings,
    on_landed: Callable[[], object],
    needed: Needed = NOTHING_NEEDED,
    *,
    after_generation: int = 0,
    stop: Stop = lambda: False,
) -> Synced:
    """Land changes as they are committed until `stop`; a server that is lost is looked for again.

    `on_landed` is called at the beginning and after each landing, and the next one waits for it.
    """
    reading = Reading(settings, needed, after_generation, on_landed, stop, follows=True)
    with reader_lock(settings, "lakehouse cdc sync --follow"):
        before = state.load(settings)
        tries: int | None = None  # one that never answered is more likely not what was meant
        while not stop():
            known = state.load(settings)
            try:
                _read(reading)
            except StoppedError:
                log.warning("stopped inside a snapshot: the next start takes it anew")
                break
            except (ConnectionLostError, SlotInUseError) as error:
                if tries is None and isinstance(error, (UnreachableError, SlotInUseError)):
                    raise
                has_moved = state.load(settings) != known
                if has_moved:
                    on_landed()
                tries = 0 if tries is None or has_moved else tries + 1
                pause = _BACK_OFF_S[min(tries, len(_BACK_OFF_S) - 1)]
                log.warning("%s; tried again in %g s", error.what, pause)
                _sleep(pause, stop)
        return _synced(before, state.load(settings))


def _catch_up(reading: Reading) -> Synced:
    before = state.load(reading.settings)
    _read(reading)
    return _synced(before, state.load(reading.settings))


def _read(reading: Reading) -> None:
    """Read up to where the ERP is now, or follow it."""
    asked = frozenset[int]()
    while True:
        try:
            with _quick_turns(), connection.connect(reading.settings) as erp:
                sync_id = time.time_ns() // 1_000_000
                server, known = prepared(reading, erp, sync_id)
                reading = replace(reading, anew=frozenset())
                reading.on_landed()  # also what a reading landed that ended before it said so
                return _stream(reading, erp, known, server, asked, sync_id)
        except CatalogChangedError as error:
            asked |= error.numbers


@contextmanager
def _quick_turns() -> Iterator[None]:
    """Let threads take turns sooner: the one that receives asks for its turn at every row."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _stream(
    reading: Reading, erp: Erp, known: State, server: Server, asked: frozenset[int], sync_id: int
) -> None:
    target = None if reading.follows else erp.session.flushed_lsn()
    if target is not None and known.position >= target:
        return
    every_s = _FOLLOW_LAND_S if reading.follows else math.inf
    seen = catalog(server, known, asked)
    worker = Worker(reading.settings, known, seen, sync_id=sync_id, land_every_s=every_s)

    def is_done() -> bool:
        return reading.stop() or (target is not None and worker.position >= target)

    def look() -> None:
        if checks.outline(erp.session) != server.outline:
            raise CatalogChangedError(set())

    with progress("changes of the ERP") as advance:
        stream = Stream(erp, worker, look, _FOLLOW_BEAT_S if reading.follows else 1.0)
        stream.read(is_done, reading.on_landed, advance)


def _wait_for_the_other(settings: Settings) -> Synced | None:
    """Wait until the process that reads has come to where the ERP is now; None if it ended."""
    session = Session(postgres.erp_dsn(settings))
    target = session.flushed_lsn()
    session.nudge()
    session.close()
    before = known = state.load(settings)
    moved_at = time.monotonic()
    while (reader := holder(settings, READER)) is not None:
        last, known = known, state.load(settings)
        tables = known.tables.values() if known else ()
        is_whole = not any(table.is_awaited for table in tables)
        if known is not None and known.position >= target and is_whole:
            return _synced(before, known)
        if known != last:
            moved_at = time.monotonic()
        elif time.monotonic() - moved_at > _STANDSTILL_S:
            raise LakehouseError(
                f"the change log's reader stands still for {_STANDSTILL_S:.0f} s: {reader}",
                hint="look at what it says, stop it, then run the same command again",
            )
        time.sleep(0.05)
    return None


def _synced(before: State | None, after: State | None) -> Synced:
    assert after is not None, "a reading leaves its state"
    none = State("", 0, None)
    return Synced(
        generation=after.last_generation,
        snapshot_rows=after.snapshot_rows - (before or none).snapshot_rows,
        transactions=after.transactions - (before or none).transactions,
        changes=after.changes - (before or none).changes,
        durable_lsn=str(after.durable_lsn),
    )


def _sleep(seconds: float, stop: Stop) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not stop():
        time.sleep(0.05)
