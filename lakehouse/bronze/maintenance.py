"""Small parts gathered, logs shortened, and what nobody needs removed: by `policy`, in safety.

Nothing here changes a row, and nothing needs the lake to itself: a compaction that lost a race is
tried again, and what is removed has not been named by the table for longer than any reader lives.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import AddAction, RemoveAction

from lakehouse.bronze import contract_table, policy, quarantine, tables
from lakehouse.bronze.contract import contracts
from lakehouse.bronze.evolution import live_parts, rewritten
from lakehouse.bronze.parts import Parts
from lakehouse.bronze.tables import Table
from lakehouse.bronze.turns import turn
from lakehouse.errors import LakehouseError, first_line
from lakehouse.settings import Settings

HOURS, SECONDS = 24, 86_400
COMPACTIONS = "lakehouse.compaction"
"""The transaction id that two compactions at once collide on: by themselves both would succeed,
and each put the rows of the same parts into a new one."""


@dataclass(frozen=True)
class Maintained:
    """What was done to a table, or in a dry run would be."""

    table: str
    compacted_parts: int
    into_parts: int
    removed_files: int
    removed_commits: int
    """Of the log; what they said is in the checkpoint."""
    version: int


def maintain(settings: Settings, *, dry_run: bool) -> list[Maintained]:
    """Look after every table that there is, the quarantine too."""
    return [_maintain(name, table, dry_run=dry_run) for name, table in _tables(settings)]


def _tables(settings: Settings) -> Iterator[tuple[str, Table]]:
    for contract in contracts():
        if tables.exists(tables.table_uri(settings, contract.source, contract.entity)):
            yield contract.name, contract_table.opened(settings, contract)
    if tables.exists(quarantine.uri(settings)):
        yield "_quarantine", quarantine.opened(settings)


def _maintain(name: str, table: Table, *, dry_run: bool) -> Maintained:
    try:
        groups = _small(table)
        if not dry_run:
            with turn(table.uri):
                _compact(table)
        delta = DeltaTable(table.uri)
        before = _commits(table.uri)
        if not dry_run:
            # A checkpoint first: the commits that are removed after it are all in it.
            delta.create_checkpoint()
            delta.cleanup_metadata()
        removed = delta.vacuum(retention_hours=policy.KEPT_DAYS * HOURS, dry_run=dry_run, full=True)
        unfinished = _unfinished(table.uri)
        if not dry_run:
            for path in unfinished:
                path.unlink(missing_ok=True)
    except DeltaError as error:
        raise LakehouseError(
            f"the table {table.uri} could not be looked after: {first_line(error)}",
            hint="no row was changed; mend that, then run `lakehouse bronze maintain` again",
        ) from error
    return Maintained(
        table=name,
        compacted_parts=sum(map(len, groups)),
        into_parts=len(groups),
        removed_files=len(removed) + len(unfinished),
        removed_commits=before - _commits(table.uri),
        version=DeltaTable(table.uri).version(),
    )


def _compact(table: Table) -> None:
    """Gather small parts; the rows stay what and, in their batches, where they are."""
    for attempt in range(1, policy.ATTEMPTS + 1):
        delta = DeltaTable(table.uri)
        # Another may have given it a column since.
        layout = replace(table.layout, schema=pa.schema(delta.schema()))
        now = Table(table.uri, layout, delta)
        groups = _small(now)
        if not groups:
            return
        try:
            _commit(now, groups)
        except CommitFailedError:
            if attempt == policy.ATTEMPTS:
                raise
        else:
            return


def _small(table: Table) -> list[list[dict[str, Any]]]:
    """Groups of small parts of one load date that are worth one large one each, by batch."""
    by_date: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for part in live_parts(table.delta):
        if part["size"] < policy.SMALL_BYTES:
            by_date[str(part["partition"])].append(part)
    groups: list[list[dict[str, Any]]] = []
    for parts in by_date.values():
        group: list[dict[str, Any]] = []
        for part in sorted(parts, key=lambda one: one["batch"]):
            if sum(one["size"] for one in group) >= policy.TARGET_BYTES:
                groups.append(group)
                group = []
            group.append(part)
        groups.append(group)
    return [group for group in groups if len(group) >= policy.SMALL_PARTS]


def _commit(table: Table, groups: list[list[dict[str, Any]]]) -> None:
    folder, now = Path(table.uri), int(time.time() * 1000)
    actions: list[AddAction | RemoveAction] = []
    written: list[Parts] = []
    try:
        for group in groups:
            parts = Parts(folder, table.layout, group[0]["partition"])
            written.append(parts)
            paths = [folder / part["path"] for part in group]
            actions.append(rewritten(parts.own(), paths, table.layout.schema))
            actions += [
                RemoveAction(part["path"], False, now, part["size"], part["partition"])
                for part in group
            ]
        with tables.writing(table.uri):
            table.commit(actions, {COMPACTIONS: (table.version_of(COMPACTIONS) or 0) + 1})
    except (DeltaError, OSError):
        for parts in written:
            parts.withdraw()
        raise


def _commits(uri: str) -> int:
    return len(list(Path(uri, "_delta_log").glob("*.json")))


def _unfinished(uri: str) -> list[Path]:
    """What a killed writer of a commit left in the log."""
    old = time.time() - policy.KEPT_DAYS * SECONDS
    found: list[Path] = []
    for path in Path(uri, "_delta_log").glob(".*.unfinished"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < old:
                found.append(path)
    return found
