"""The second thread: decodes what the first one reads, lands it, and says how far that is.

The law of order: landing files are durable, then the state says so, then the slot is confirmed.
Whoever dies in between delivers again what was delivered, and never loses a change.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from lakehouse.cdc import state, streamed
from lakehouse.cdc.decoder import Catalog, CatalogChangedError, Decoder
from lakehouse.cdc.pending import Pending
from lakehouse.cdc.state import State
from lakehouse.settings import Settings

_CHUNKS = 3
_POSITION_EVERY_S = 1.0
"""How often a position is made durable that moved without a change."""


@dataclass(frozen=True)
class Chunk:
    """Messages as they came; behind them the server has sent everything before `reached`."""

    payloads: Sequence[bytes]
    lsns: Sequence[int]
    reached: int = 0
    is_last: bool = False


class Worker:
    """Takes chunks in and lands them, in a thread of its own."""

    def __init__(
        self,
        settings: Settings,
        known: State,
        catalog: Catalog,
        *,
        sync_id: int,
        land_every_s: float,
    ) -> None:
        streamed.remove_all(settings)
        self.known = known
        """The state, durable up to here."""
        self.landings = 0
        """How many times changes were landed."""
        self._settings = settings
        self._sync_id = sync_id
        self._land_every_s = land_every_s
        self._pending = Pending()
        folder = streamed.folder(settings)
        self._decoder = Decoder(self._pending, catalog, known.position, folder)
        self._chunks: queue.Queue[Chunk] = queue.Queue(_CHUNKS)
        self._error: BaseException | None = None
        self._saved = self._landed = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="cdc-worker", daemon=True)
        self._thread.start()

    @property
    def position(self) -> int:
        """Whatever was committed before this position has been decoded."""
        return self._decoder.position

    @property
    def is_idle(self) -> bool:
        return self._chunks.unfinished_tasks == 0

    @property
    def is_due(self) -> bool:
        """Whether something waits to be made durable, and has waited long enough."""
        now = time.monotonic()
        if self._pending.has_whole:
            return now - self._landed >= self._land_every_s
        return self.position > self.known.position and now - self._saved >= _POSITION_EVERY_S

    def give(self, chunk: Chunk) -> None:
        """Hand over the next chunk, when there is room for it; raise what went wrong before."""
        while True:
            self.check()
            try:
                return self._chunks.put(chunk, timeout=0.1)
            except queue.Full:
                continue

    def check(self) -> None:
        """Raise what went wrong in the thread."""
        if self._error is not None:
            raise self._error

    def finish(self) -> None:
        """Land what is whole, and end."""
        if self._error is None:
            self.give(Chunk((), (), is_last=True))
        self._thread.join()
        self.check()

    def _run(self) -> None:
        try:
            while self._take(self._chunks.get()):
                self._chunks.task_done()
        except CatalogChangedError as error:
            self._error = error
            try:
                self._land()
            except BaseException as worse:
                self._error = worse
        except BaseException as error:  # told to whoever hands over or waits
            self._error = error

    def _take(self, chunk: Chunk) -> bool:
        """Decode a chunk, land when it is time; whether more may come."""
        if chunk.payloads:
            self._decoder.feed(chunk.payloads, chunk.lsns)
        if chunk.reached:
            self._decoder.reached(chunk.reached)
        if chunk.is_last or self._pending.is_full or self.is_due:
            self._land()
        return not chunk.is_last

    def _land(self) -> None:
        landed = self._pending.land(self._settings, self.known.tables, self._sync_id)
        position = self._decoder.position
        known = self.known.reached(position, landed.transactions, landed.changes)
        self.known = state.save(self._settings, known)
        self._saved = time.monotonic()
        if landed.changes:
            self.landings += 1
            self._landed = self._saved
