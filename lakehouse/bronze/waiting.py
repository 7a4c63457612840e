"""What waits in quarantine: refused, and not released by a replay since."""

from __future__ import annotations

import json
from dataclasses import dataclass

import duckdb

from lakehouse.bronze import quarantine, tables
from lakehouse.landing import jsonl
from lakehouse.settings import Settings

OPEN = """
from delta_scan(?) as entry
where released_batch_id is null and not exists (
    from delta_scan(?) as released
    where released.released_batch_id is not null
        and released.source = entry.source and released.entity = entry.entity
        and released.source_sha256 = entry.source_sha256
        and released.source_row is not distinct from entry.source_row
)
"""
EXAMPLE_LENGTH = 200


@dataclass(frozen=True)
class Waiting:
    """Rows of one file that were refused for one reason, or a whole file (`rows` 0)."""

    table: str
    reason: str
    source_file: str
    source_sha256: str
    rows: int
    example: str | None


def waiting(settings: Settings) -> list[Waiting]:
    """What is in quarantine and was not released, by file and reason."""
    quarantine.opened(settings)
    with tables.reading(settings) as connection:
        return found(settings, connection)


def found(settings: Settings, connection: duckdb.DuckDBPyConnection) -> list[Waiting]:
    """The same, with a connection that is open already."""
    query = f"""
        select source || '/' || entity, reason, source_file, source_sha256, count(source_row),
            arg_min(payload, source_row),
            arg_min(original[:{EXAMPLE_LENGTH}], source_row) filter (source_row is not null)
        {OPEN}
        group by all
        order by all
    """
    rows = connection.execute(query, [quarantine.uri(settings)] * 2).fetchall()
    return [
        Waiting(table, reason, file, sha256, count, _example(payload, original))
        for table, reason, file, sha256, count, payload, original in rows
    ]


def _example(payload: str | None, original: bytes | None) -> str | None:
    """A refused row as a person wants to see it: without what Airbyte adds to each."""
    if payload is None:
        return None if original is None else original.decode("utf8", "replace")
    row = json.loads(payload)
    shown = {name: value for name, value in row.items() if name not in jsonl.ENVELOPE}
    return json.dumps(shown, ensure_ascii=False)[:EXAMPLE_LENGTH]
