"""What the slot is told: exactly the position that is durable here.

Not by psycopg2's `send_feedback`: that driver moves its flush position forward by itself when the
server says how far it has come, and would confirm more than we have made durable.
"""

from __future__ import annotations

import ctypes
import time
from struct import Struct

import psycopg2
from psycopg2 import _psycopg
from psycopg2.extensions import connection as Connection

_STATUS_UPDATE = Struct(">cQQQqB")
_EPOCH_S = 946_684_800
# The libpq that the driver itself is linked to, found through it.
_LIBPQ = ctypes.CDLL(_psycopg.__file__)
_LIBPQ.PQputCopyData.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
_LIBPQ.PQflush.argtypes = [ctypes.c_void_p]


def confirm(connection: Connection, lsn: int) -> None:
    """Let the server forget what was committed before this position."""
    now_us = int((time.time() - _EPOCH_S) * 1_000_000)
    update = _STATUS_UPDATE.pack(b"r", lsn, lsn, lsn, now_us, 0)
    server = connection.pgconn_ptr
    if _LIBPQ.PQputCopyData(server, update, len(update)) != 1 or _LIBPQ.PQflush(server) < 0:
        raise psycopg2.OperationalError("the server does not take our position")
