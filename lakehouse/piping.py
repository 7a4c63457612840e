"""Rows into PostgreSQL through a pipe: one thread writes COPY's format, the server reads it."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import IO, cast

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

CHUNK_BYTES = 1 << 20


def copy_in(cursor: Cursor, statement: sql.Composed, write: Callable[[int], None]) -> int:
    """Run `copy … from stdin` over what `write` puts into a descriptor; return the rows copied.

    `write` need not close the descriptor. Its failure is the one that is told, rather than the torn
    stream that it leaves behind; a broken pipe is what PostgreSQL's own refusal left.
    """
    reader, writer = os.pipe()

    def written() -> None:
        try:
            write(writer)
        finally:
            os.close(writer)

    with ThreadPoolExecutor(1) as pool:
        with os.fdopen(reader, "rb") as pipe:
            stream = _Stream(pipe)
            writing = pool.submit(written)
            try:
                cursor.copy_expert(statement, cast("IO[bytes]", stream), size=CHUNK_BYTES)
            except psycopg2.Error:
                pipe.close()
                if stream.interruption is not None:
                    raise stream.interruption from None
                cause = writing.exception()
                if cause is not None and "Broken pipe" not in str(cause):
                    raise cause from None
                raise
        writing.result()
    return cursor.rowcount


class _Stream:
    """Remembers a Ctrl-C, which psycopg2 would turn into an error of the copy."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self.interruption: KeyboardInterrupt | None = None
        self._pipe = pipe

    def read(self, size: int = -1, /) -> bytes:
        try:
            return self._pipe.read(size)
        except KeyboardInterrupt as error:
            self.interruption = error
            raise
