"""Landing: the files that sources deliver, in the layout of Airbyte's S3 destination."""

from __future__ import annotations

import pyarrow as pa

from lakehouse.landing.files import (
    LandedFile,
    Write,
    last_generation,
    list_files,
    new_file,
    remove_unfinished,
    write_file,
)
from lakehouse.landing.layout import (
    BOUNDARIES,
    BOUNDARY_COLUMNS,
    SNAPSHOT,
    STREAM,
    Delivery,
    boundary_schema,
    change_schema,
    iso_ms_texts,
    iso_us,
    row_schema,
    seq,
)
from lakehouse.landing.lines import write_lines

# Arrow's own allocator hands memory back so soon that getting it anew took a load and a drain a
# sixth of their CPU time.
pa.set_memory_pool(pa.system_memory_pool())

__all__ = [
    "BOUNDARIES",
    "BOUNDARY_COLUMNS",
    "SNAPSHOT",
    "STREAM",
    "Delivery",
    "LandedFile",
    "Write",
    "boundary_schema",
    "change_schema",
    "iso_ms_texts",
    "iso_us",
    "last_generation",
    "list_files",
    "new_file",
    "remove_unfinished",
    "row_schema",
    "seq",
    "write_file",
    "write_lines",
]
