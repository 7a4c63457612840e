"""A network between the reader and the ERP that can be cut, slowed, or made to swallow all."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from types import TracebackType

from psycopg2.extensions import make_dsn

BLOCK = 65_536


class Proxy:
    """Listens on a port of its own and passes everything on to another, as long as it is well."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.refused = 0
        """Connections that were asked for while nothing came through."""
        self._block, self._pause_s = BLOCK, 0.0
        self._swallows = threading.Event()
        self._open: list[socket.socket] = []
        self._swallowed: list[socket.socket] = []
        self._lost: list[socket.socket] = []

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.close()
        self.cut()

    def straight(self, dsn: str | None) -> str:
        """The way around this network."""
        return make_dsn(dsn, port=self._target)

    def cut(self) -> None:
        """Close every connection that is open now."""
        for side in (*self._open, *self._swallowed, *self._lost):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()
        self._open, self._swallowed, self._lost = [], [], []

    def lead_to(self, target: int) -> None:
        """From now on another server is behind this address."""
        self._target = target
        self.cut()

    def swallow(self) -> None:
        """Take everything, pass nothing on, and say nothing."""
        self._swallows.set()

    def lose(self) -> None:
        """Let neither end of what is open now hear of the other again, not even of its end."""
        self._lost += self._open
        self._open = []

    def heal(self) -> None:
        """Pass on what new connections send; those that were swallowed stay so."""
        self._swallowed += self._open
        self._open = []
        self._swallows.clear()

    def slow(self, bytes_at_a_time: int, pause_s: float = 0.001) -> None:
        """Pass little on, with pauses."""
        self._block, self._pause_s = bytes_at_a_time, pause_s

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._swallows.is_set():
                self.refused += 1
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self._target))
            self._open += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(self._block):
                if self._swallows.is_set() or source in self._swallowed or source in self._lost:
                    continue
                sink.sendall(data)
                if self._pause_s:
                    time.sleep(self._pause_s)
            if source not in self._lost:
                sink.shutdown(socket.SHUT_WR)
