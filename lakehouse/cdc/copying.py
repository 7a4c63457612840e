"""COPY's rows as Arrow columns, exact or else as PostgreSQL's text."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from lakehouse.cdc.checks import Table
from lakehouse.cdc.types import typed

# psycopg2 lets go of Python's lock and takes it again at every row: copies at the same time hinder
# each other. So half of the readers copy while the others convert and write.
READERS = min(max(os.cpu_count() or 2, 2), 8)
_copies = threading.Semaphore(READERS // 2)

Fields = tuple[pa.Field, ...]


def copy(
    reader: Connection, table: Table, query: sql.Composable
) -> Iterator[tuple[Fields, pa.Table]]:
    """The rows of a query, all of them; those with a value that its type cannot hold come apart."""
    sink = io.BytesIO()
    with reader.cursor() as cursor:
        statement = sql.SQL("copy ({}) to stdout (format csv)").format(query)
        with _copies:
            cursor.copy_expert(statement, sink)
    if sink.tell() == 0:
        return
    block = sink.getbuffer()
    try:
        yield table.columns, _parse(block, table.columns)
    except pa.ArrowInvalid:
        text = tuple(pa.field(column.name, pa.string()) for column in table.columns)
        yield from _apart(table, _parse(block, text))


def _parse(block: memoryview, fields: Fields) -> pa.Table:
    """COPY's CSV, where an unquoted nothing is null and a quoted one is empty text."""
    return pa.csv.read_csv(
        pa.BufferReader(pa.py_buffer(block)),
        read_options=pa.csv.ReadOptions(
            column_names=[column.name for column in fields],
            block_size=len(block),  # a value with line breaks must not be cut in two
            use_threads=False,
        ),
        parse_options=pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pa.csv.ConvertOptions(
            column_types=pa.schema(fields),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )


def _apart(table: Table, texts: pa.Table) -> Iterator[tuple[Fields, pa.Table]]:
    """Rows whose every value fits its type, then the others, what does not fit as text."""
    texts = texts.combine_chunks()
    found = [
        typed(pa.concat_arrays(texts.column(number).chunks), column.type)
        for number, column in enumerate(table.columns)
    ]
    misfits = {number: mask for number, (_, mask) in enumerate(found) if mask is not None}
    fits = ~np.any(list(misfits.values()), axis=0)
    whole = pa.Table.from_arrays([values for values, _ in found], schema=pa.schema(table.columns))
    if fits.any():
        yield table.columns, whole.filter(pa.array(fits))
    fields, columns = list(table.columns), list(whole.columns)
    for number in misfits:
        fields[number] = pa.field(fields[number].name, pa.string())
        columns[number] = texts.column(number)
    rest = pa.Table.from_arrays(columns, schema=pa.schema(fields))
    yield tuple(fields), rest.filter(pc.invert(pa.array(fits)))
