"""Landing files appear whole and durable or not at all, and are never replaced."""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from lakehouse.errors import LakehouseError
from lakehouse.landing import jsonl
from lakehouse.landing.layout import GENERATION, REPEATED
from lakehouse.settings import Settings

Write = Callable[[pa.Table], None]
_UNFINISHED = ".*.unfinished"
SUFFIXES = (".parquet", *jsonl.SUFFIXES)
"""The formats of Airbyte's S3 destination that are read."""


@dataclass(frozen=True, order=True)
class LandedFile:
    """One delivered file of one entity."""

    source: str
    entity: str
    path: Path


def list_files(settings: Settings) -> list[LandedFile]:
    """Every delivered file, by source, entity and name."""
    root = Path(settings.landing_uri)
    return sorted(
        LandedFile(path.parent.parent.name, path.parent.name, path)
        for path in root.glob("*/*/*")
        if path.name.endswith(SUFFIXES) and not path.name.startswith(".")
    )


def write_file(settings: Settings, source: str, entity: str, table: pa.Table) -> None:
    """Deliver one table as one file."""
    with new_file(settings, source, entity, table.schema) as write:
        write(table)


@contextmanager
def new_file(settings: Settings, source: str, entity: str, schema: pa.Schema) -> Iterator[Write]:
    """Deliver what the block writes as one file, a row group a table; nothing if it fails."""
    with (
        delivered(settings, source, entity, "parquet") as out,
        pq.ParquetWriter(
            out,
            schema,
            compression="zstd",
            use_dictionary=REPEATED,
            write_statistics=[GENERATION],
        ) as writer,
    ):
        yield writer.write_table


@contextmanager
def delivered(settings: Settings, source: str, entity: str, suffix: str) -> Iterator[IO[bytes]]:
    """A file that is there, whole and durable, once the block has ended well; else it never is."""
    folder = Path(settings.landing_uri) / source / entity
    unfinished = folder / f".{uuid.uuid4().hex}.unfinished"
    try:
        _make_folder(folder)
        try:
            with unfinished.open("xb") as out:
                yield out
                out.flush()
                os.fsync(out.fileno())
            _publish(unfinished, suffix)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise LakehouseError(
            f"a landing file of {source}/{entity} could not be written: {error.strerror or error}",
            hint=f"make room and rights in {folder}, then run the same command again",
        ) from error


def remove_unfinished(settings: Settings, source: str) -> None:
    """Remove what a killed writer of this source left; only its one writer may call this."""
    for path in (Path(settings.landing_uri) / source).glob(f"*/{_UNFINISHED}"):
        path.unlink()


def last_generation(settings: Settings, source: str) -> int:
    """The greatest generation that this source has delivered, 0 if none."""
    found = 0
    for file in list_files(settings):
        if file.source == source:
            found = max(found, _generation(file.path))
    return found


def _generation(path: Path) -> int:
    try:
        metadata = pq.read_metadata(path)
    except pa.ArrowInvalid:
        return 0  # no Parquet: not of our making, and bronze will say so
    leaves = metadata.schema.names
    if GENERATION not in leaves:
        return 0
    column = leaves.index(GENERATION)
    groups = [metadata.row_group(i).column(column) for i in range(metadata.num_row_groups)]
    return max((int(g.statistics.max) for g in groups if g.statistics), default=0)


def _publish(unfinished: Path, suffix: str) -> None:
    now = datetime.now(UTC)
    stem = f"{now:%Y_%m_%d}_{int(now.timestamp() * 1000)}"
    for part in itertools.count():
        path = unfinished.with_name(f"{stem}_{part}.{suffix}")
        # A link, because a rename would replace what another writer put there meanwhile.
        with suppress(FileExistsError):
            path.hardlink_to(unfinished)
            break
    unfinished.unlink()
    sync_folder(unfinished.parent)


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)  # another writer may be as fast
    for parent in list(folder.parents)[:3]:
        sync_folder(parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; syncing the files alone does not."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
