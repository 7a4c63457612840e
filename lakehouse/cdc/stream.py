"""The change log from where it was left up to a position, landed in whole transactions.

The law of order: landing files are durable, then the state says so, then the slot is confirmed.
Whoever dies in between delivers again what was delivered, and never loses a change.
"""

from __future__ import annotations

import select
import time
from dataclasses import dataclass, replace

import psycopg2

from lakehouse import landing
from lakehouse.cdc import state
from lakehouse.cdc.capture import Capture
from lakehouse.cdc.connection import PUBLICATION, SLOT, Erp
from lakehouse.cdc.decoder import Decoder
from lakehouse.cdc.state import State
from lakehouse.progress import Advance, progress
from lakehouse.settings import Settings

_OPTIONS = {
    "proto_version": "2",
    "publication_names": PUBLICATION,
    "streaming": "on",
    "messages": "true",
    "binary": "false",
}
_NEVER_S = 10 * 365 * 86_400  # feedback goes out when we say so, see connection.py
_QUIET_S = 1.0


@dataclass
class Stream:
    """One reading of the change log."""

    settings: Settings
    erp: Erp
    known: State
    delivery: landing.Delivery

    def __post_init__(self) -> None:
        self._capture = Capture(self.settings)
        self.decoder = Decoder(self._capture, self.known.position)

    def read(self) -> None:
        """Land everything that is committed now, then tell the slot that it may forget it."""
        target = self.erp.flushed_lsn()
        if self.known.position >= target:
            return
        self.erp.log.start_replication(
            slot_name=SLOT,
            start_lsn=self.known.position,
            options=_OPTIONS,
            decode=False,
            status_interval=_NEVER_S,
        )
        try:
            with progress("changes of the ERP") as advance:
                self._read_up_to(target, advance)
        except psycopg2.Error:
            self._land()  # what has come whole is kept
            raise
        self._land()
        self.erp.confirm(self.known.position)

    def _read_up_to(self, target: int, advance: Advance) -> None:
        log, decoder = self.erp.log, self.decoder
        quiet_since: float | None = None
        while decoder.position < target:
            message = log.read_message()
            if message is not None:
                quiet_since = None
                self._take_in(message.payload, message.data_start, advance)
                continue
            decoder.reached(log.wal_end)
            quiet_since = quiet_since or time.monotonic()
            if time.monotonic() - quiet_since > _QUIET_S:
                quiet_since = None
                self.erp.nudge()
            elif decoder.position < target:
                select.select([log], [], [], _QUIET_S)

    def _take_in(self, payload: bytes, lsn: int, advance: Advance) -> None:
        before = self.decoder.changes
        self.decoder.feed(payload, lsn)
        if self.decoder.changes > before:
            advance(self.decoder.changes - before)
            if self._capture.is_full:
                self._land()

    def _land(self) -> None:
        self._capture.land(self.delivery)
        self.known = replace(self.known, durable_lsn=state.lsn_text(self.decoder.position))
        state.save(self.settings, self.known)
