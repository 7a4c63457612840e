"""The change log from where it was left, read as fast as the server sends it."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from contextlib import suppress

import psycopg2

from lakehouse.cdc.connection import SLOT, Erp
from lakehouse.cdc.decoder import CatalogChangedError
from lakehouse.cdc.worker import Chunk, Worker
from lakehouse.erp import PUBLICATION
from lakehouse.errors import LakehouseError
from lakehouse.progress import Advance

# Text, not binary: whatever type a column has, it arrives exactly as PostgreSQL writes it.
_OPTIONS = {
    "proto_version": "2",
    "publication_names": PUBLICATION,
    "streaming": "on",
    "messages": "true",
    "binary": "false",
}
_NEVER_S = 10 * 365 * 86_400  # feedback goes out when we say so, see connection.py
_CHUNK_MESSAGES = 20_000
_CHUNK_BYTES = 8 << 20
_CHUNK_AGE_S = 0.05
_QUIET_S = 1.0
_TELL_EVERY_S = 10.0
_SILENCE_S = 60.0
"""How long the log may bring nothing, not even our own heartbeats."""

Stop = Callable[[], bool]


class Stream:
    """One reading of the change log, by this thread for a worker."""

    def __init__(
        self, erp: Erp, worker: Worker, look: Callable[[], None], heartbeat_s: float = _QUIET_S
    ) -> None:
        """`look` is called once in a while, to raise what the log itself does not tell."""
        self._erp = erp
        self._worker = worker
        self._look = look
        self._heartbeat_s = heartbeat_s
        self._payloads: list[bytes] = []
        self._lsns: list[int] = []
        self._size = 0
        self._begun = self._told_at = self._beat_at = self._heard_at = time.monotonic()
        self._looked_at = self._begun
        self._told = self._reached = worker.known.position

    def read(self, is_done: Stop, on_landed: Callable[[], object], advance: Advance) -> None:
        """Read until `is_done`, land what is whole, and let the server forget what is landed."""
        with self._erp.hurried():
            self._erp.log.start_replication(
                slot_name=SLOT,
                start_lsn=self._worker.known.position,
                options=_OPTIONS,
                decode=False,
                status_interval=_NEVER_S,
            )
        try:
            self._read(is_done, on_landed, advance)
            self._hand_over()
        except psycopg2.Error:
            self._keep()
            raise
        except (LakehouseError, CatalogChangedError):
            try:
                self._keep()
            finally:
                with suppress(psycopg2.Error):
                    self._tell()
            raise
        self._worker.finish()
        self._tell()
        on_landed()

    def _read(self, is_done: Stop, on_landed: Callable[[], object], advance: Advance) -> None:
        read_message = self._erp.log.read_message
        landings = changes = 0
        while not is_done():
            payloads, lsns, size = self._payloads, self._lsns, self._size
            while (message := read_message()) is not None:
                payload = message.payload
                payloads.append(payload)
                lsns.append(message.data_start)
                size += len(payload)
                if size >= _CHUNK_BYTES or len(lsns) >= _CHUNK_MESSAGES:
                    self._hand_over()
                    break
            else:
                self._size = size
                self._idle()
            self._worker.check()
            if self._worker.landings > landings:
                landings = self._worker.landings
                self._tell()
                on_landed()
                self._heard_at = time.monotonic()  # nobody listened meanwhile
                advance(self._worker.known.changes - changes)
                changes = self._worker.known.changes
            elif time.monotonic() - self._told_at > _TELL_EVERY_S:
                self._tell()
            if time.monotonic() - self._looked_at > self._heartbeat_s:
                self._look()
                self._looked_at = time.monotonic()

    def _keep(self) -> None:
        """Land what has come whole although the reading fails, and leave no thread behind."""
        with suppress(CatalogChangedError):
            self._hand_over()
            self._worker.finish()

    def _idle(self) -> None:
        """Nothing has come: hand over what is here, look after the connection, and wait."""
        now, end = time.monotonic(), self._erp.log.wal_end
        is_news = bool(self._payloads) or end > self._reached
        if is_news:
            self._heard_at = now
        elif now - self._heard_at > _SILENCE_S:
            raise psycopg2.OperationalError(f"the change log is silent for {_SILENCE_S:.0f} s")
        # While the worker is busy a chunk may as well grow.
        if is_news and self._worker.is_idle and now - self._begun >= _CHUNK_AGE_S:
            self._hand_over(end)
        elif self._worker.is_idle and self._worker.is_due:
            self._hand_over()
        elif self._worker.is_idle and self._worker.known.position > self._told:
            self._tell()
        if now - max(self._heard_at, self._beat_at) > self._heartbeat_s:
            self._beat_at = now
            self._erp.session.nudge()
        select.select([self._erp.log], [], [], _CHUNK_AGE_S / 5)

    def _hand_over(self, reached: int = 0) -> None:
        self._worker.give(Chunk(self._payloads, self._lsns, reached))
        self._payloads, self._lsns, self._size = [], [], 0
        self._begun = self._heard_at = time.monotonic()  # while it waits, nobody listens
        self._reached = max(self._reached, reached)

    def _tell(self) -> None:
        """Let the server forget what is durable; and let whoever is in between see us alive."""
        self._told, self._told_at = self._worker.known.position, time.monotonic()
        self._erp.confirm(self._told)
