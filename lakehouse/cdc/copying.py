"""COPY's rows as Arrow columns, exact or else as PostgreSQL's text."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from lakehouse.cdc import binary
from lakehouse.cdc.binary import HEADER, TRAILER, MisfitError
from lakehouse.cdc.checks import Table
from lakehouse.cdc.types import typed
from lakehouse.erp import SCHEMA

# psycopg2 lets go of Python's lock and takes it again at every row: copies at the same time hinder
# each other. So half of the readers copy while the others convert and write.
READERS = min(max(os.cpu_count() or 2, 2), 8)
_copies = threading.Semaphore(READERS // 2)

# PostgreSQL's text of any type, by its output function; a cast to text would cut blanks off.
_TEXT = sql.SQL("case num_nulls({0}) when 0 then concat({0}) end")

_ROWS_AT_A_TIME = 16_384  # what the processor's own memory holds

Fields = tuple[pa.Field, ...]


class _Rows(list[bytes]):
    """What psycopg2 writes to: COPY sends a message for each row."""

    write = list.append


class Copier:
    """Reads a table as it is in the transaction that asks first what its columns are."""

    def __init__(self, reader: Connection, table: Table) -> None:
        self.entity = table.entity
        self._table = table
        names = [sql.Identifier(column.name) for column in table.columns]
        with reader.cursor() as cursor:
            whole = sql.Identifier(SCHEMA, table.entity)
            columns = sql.SQL(", ").join(names)
            # Nobody can change a type any more until the transaction ends.
            cursor.execute(sql.SQL("select {} from {} limit 0").format(columns, whole))
            oids = [column.type_code for column in cursor.description or ()]
        self._decoders = [
            binary.decoder(oid, column.type)
            for oid, column in zip(oids, table.columns, strict=True)
        ]
        self._texts = [_TEXT.format(name) for name in names]
        self._wanted = [
            name if decode else text
            for name, text, decode in zip(names, self._texts, self._decoders, strict=True)
        ]

    def rows(self, reader: Connection, source: sql.Composable) -> Iterator[tuple[Fields, pa.Table]]:
        """The rows of a range; those with a value that its type cannot hold come apart."""
        payloads = _received(reader, self._wanted, source)
        if not payloads:
            return
        firsts = range(0, len(payloads), _ROWS_AT_A_TIME)
        try:
            parts = [self._decoded(payloads[first : first + _ROWS_AT_A_TIME]) for first in firsts]
        except MisfitError:
            yield from self._apart(_received(reader, self._texts, source))
        else:
            yield self._table.columns, pa.concat_tables(parts)

    def _decoded(self, payloads: list[bytes]) -> pa.Table:
        rows = binary.rows(payloads, len(self._decoders))
        arrays = []
        for number, (column, decode) in enumerate(
            zip(self._table.columns, self._decoders, strict=True)
        ):
            if decode is not None:
                arrays.append(decode(rows, number))
                continue
            values, misfits = typed(rows.texts(number), column.type)
            if misfits is not None:
                raise MisfitError
            arrays.append(values)
        return pa.Table.from_arrays(arrays, schema=pa.schema(self._table.columns))

    def _apart(self, payloads: list[bytes]) -> Iterator[tuple[Fields, pa.Table]]:
        """Rows whose every value fits its type, then the others, what does not fit as text."""
        own = self._table.columns
        rows = binary.rows(payloads, len(own))
        texts = [rows.texts(number) for number in range(len(own))]
        found = [typed(text, column.type) for text, column in zip(texts, own, strict=True)]
        misfits = {number: mask for number, (_, mask) in enumerate(found) if mask is not None}
        fits = ~np.any(list(misfits.values()), axis=0)
        whole = pa.Table.from_arrays([values for values, _ in found], schema=pa.schema(own))
        if fits.any():
            yield own, whole.filter(pa.array(fits))
        fields, columns = list(own), list(whole.columns)
        for number in misfits:
            fields[number] = pa.field(fields[number].name, pa.string())
            columns[number] = texts[number]
        rest = pa.Table.from_arrays(columns, schema=pa.schema(fields))
        yield tuple(fields), rest.filter(pc.invert(pa.array(fits)))


def _received(
    reader: Connection, columns: Sequence[sql.Composable], source: sql.Composable
) -> list[bytes]:
    """All rows of a range."""
    payloads = _Rows()
    query = sql.SQL("select {} {}").format(sql.SQL(", ").join(columns), source)
    with reader.cursor() as cursor, _copies:
        cursor.copy_expert(sql.SQL("copy ({}) to stdout (format binary)").format(query), payloads)
    payloads[0] = payloads[0].removeprefix(HEADER)
    if payloads.pop() != TRAILER:
        raise AssertionError("a binary COPY ends with its trailer")
    return payloads
