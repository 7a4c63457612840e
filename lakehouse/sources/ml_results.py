"""Forecasts that the ML environment exports: checked whole, then landed once.

A delivery is a folder `exports/ml_results/<dataset_id>/<model_version>` of the lake with
`forecasts.parquet`, `metadata.json` and, from models that know them, `quantiles.parquet`. It counts
from when its metadata are there: write them last.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from lakehouse.errors import LakehouseError, RefusedError
from lakehouse.landing import Delivery, row_schema, write_file
from lakehouse.landing.files import sync_folder
from lakehouse.settings import Settings
from lakehouse.sources import ml_metadata
from lakehouse.sources.ml_metadata import Metadata
from lakehouse.sources.ml_tables import FORECASTS, QUANTILES, forecasts, quantiles

SOURCE = "ml_results"
RUNS = pa.schema(
    [
        ("dataset_id", pa.string()),
        ("model_version", pa.string()),
        ("cutoff_date", pa.date32()),
        ("generated_at", pa.timestamp("us", "UTC")),
        ("source", pa.string()),
        ("horizon", pa.int32()),
        ("ci_level", pa.decimal128(7, 6)),
        ("grain", pa.string()),
        ("metrics", pa.string()),
    ]
)


@dataclass(frozen=True)
class Landed:
    """What one look at the exports brought."""

    deliveries: int
    rows: int
    known: int
    """Deliveries that were landed before."""
    waiting: int
    """Deliveries without metadata: not whole yet."""


def land(settings: Settings) -> Landed:
    """Land what is new; refuse what is wrong by name, after everything good has landed."""
    known = _known(settings)
    refused: list[str] = []
    landed = rows = waiting = 0
    for name, folder in _folders(settings):
        if not (folder / ml_metadata.FILE).is_file():
            waiting += 1
            continue
        content = _content(folder)
        if name in known:
            if known[name] != content:
                refused.append(f"{name}: it was landed before with another content")
            continue
        try:
            tables = _tables(folder)
        except (ValueError, OSError, pa.ArrowException) as error:
            refused.append(f"{name}: {error}")
            continue
        rows += _land(settings, tables)
        landed += 1
        _remember(settings, known | {name: content})
        known[name] = content
    if refused:
        raise RefusedError(
            f"{len(refused)} of the forecasts' deliveries cannot be: {'; '.join(refused)}"
            + ("; the good ones were landed" if landed else ""),
            hint="have them exported anew, a changed one under a new model_version, then run "
            "`lakehouse sources sync` again",
        )
    return Landed(landed, rows, len(known) - landed, waiting)


def not_landed(settings: Settings) -> set[tuple[str, int]]:
    """The whole deliveries that were not landed yet, and when each was written."""
    known = _known(settings)
    found = set()
    for name, folder in _folders(settings):
        with suppress(FileNotFoundError):
            if name not in known:
                found.add((name, (folder / ml_metadata.FILE).stat().st_mtime_ns))
    return found


def _folders(settings: Settings) -> Iterator[tuple[str, Path]]:
    for folder in sorted(Path(settings.lake_uri, "exports", SOURCE).glob("*/*/")):
        yield f"{folder.parent.name}/{folder.name}", folder


def _tables(folder: Path) -> dict[str, pa.Table]:
    """The tables of a delivery as bronze's contracts have them, metadata last."""
    metadata = ml_metadata.read(folder)
    tables = {"forecasts": forecasts(folder / FORECASTS, metadata)}
    if (folder / QUANTILES).exists():
        tables["quantiles"] = quantiles(folder / QUANTILES, metadata)
    return tables | {"runs": _run(metadata)}


def _run(metadata: Metadata) -> pa.Table:
    row = {name: getattr(metadata, name) for name in RUNS.names} | {
        "ci_level": Decimal(f"{metadata.ci_level:.6f}"),
        "metrics": json.dumps(metadata.metrics, sort_keys=True, separators=(",", ":")),
    }
    return pa.Table.from_pylist([row], schema=RUNS)


def _land(settings: Settings, tables: dict[str, pa.Table]) -> int:
    delivery = Delivery(generation=0, sync_id=0)
    for entity, table in tables.items():
        columns = [column.combine_chunks() for column in table.columns]
        schema = row_schema(table.schema)
        write_file(settings, SOURCE, entity, delivery.table(schema, columns, table.num_rows))
    return sum(table.num_rows for table in tables.values())


def _content(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in (FORECASTS, QUANTILES, ml_metadata.FILE):
        path = folder / name
        digest.update(path.read_bytes() if path.exists() else b"")
        digest.update(name.encode())
    return digest.hexdigest()


def _known(settings: Settings) -> dict[str, str]:
    """What was landed: each delivery and the hash of its content."""
    path = _state(settings)
    try:
        known: dict[str, str] = json.loads(path.read_text("utf8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise LakehouseError(
            f"{path}, which says what was landed, cannot be read: {error}",
            hint=f"remove {path}: all is landed again, and counts once",
        ) from error
    return known


def _remember(settings: Settings, known: dict[str, str]) -> None:
    """After the files: killed in between, a delivery is landed again, and the vault counts once."""
    path = _state(settings)
    unfinished = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(json.dumps(known, indent=2), "utf8")
        unfinished.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise LakehouseError(
            f"{path} could not be written: {error.strerror}",
            hint=f"make room and rights in {path.parent}, then run the same command again",
        ) from error


def _state(settings: Settings) -> Path:
    return settings.home / "sources" / f"{SOURCE}.json"
