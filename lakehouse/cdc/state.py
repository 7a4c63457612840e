"""How far the reader is: one small file, written whole, never ahead of the landing files."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.landing.files import sync_folder
from lakehouse.settings import Settings

TO_START_ANEW = "run `lakehouse cdc resync`: new snapshots, and history before them stays"


@dataclass(frozen=True)
class TableState:
    """What is known of one table: which one it is, and from which commit on which generation."""

    identity: str
    """Changes when the table is made anew or leaves the publication; empty while it is out."""
    generations: tuple[tuple[int, int], ...]
    """Pairs (commit position, generation), ascending: changes committed there or later have it."""
    is_complete: bool
    """False until the newest generation's snapshot has been read to its end."""

    @property
    def is_awaited(self) -> bool:
        """Whether its rows are published, and not all here."""
        return bool(self.identity) and not self.is_complete

    @property
    def generation(self) -> int:
        return self.generations[-1][1]

    def renewed(self, identity: str, since: int, generation: int) -> TableState:
        """The table with a new snapshot begun, whose rows are true at the position `since`."""
        return TableState(identity, (*self.generations, (since, generation)), is_complete=False)

    def forgetting(self, position: int) -> TableState:
        """Without the generations that no change from this position on can belong to."""
        later = [pair for pair in self.generations if pair[0] > position]
        current = [pair for pair in self.generations if pair[0] <= position][-1:]
        return replace(self, generations=(*current, *later))


@dataclass(frozen=True)
class State:
    """The server that is read, and the position up to which its changes are durable here."""

    system_identifier: str
    timeline: int
    durable_lsn: str | None
    """None until the slot is made."""
    tables: Mapping[str, TableState] = field(default_factory=dict)
    transactions: int = 0
    changes: int = 0
    snapshot_rows: int = 0
    """How many were ever landed: whoever waits for a follower tells by these what came."""
    saved_at: float = 0.0

    @property
    def position(self) -> int:
        return 0 if self.durable_lsn is None else lsn_number(self.durable_lsn)

    @property
    def last_generation(self) -> int:
        return max((table.generation for table in self.tables.values()), default=0)

    def reached(self, position: int, transactions: int, changes: int) -> State:
        """The state once everything before this position is durable."""
        tables = {name: table.forgetting(position) for name, table in self.tables.items()}
        return replace(
            self,
            durable_lsn=lsn_text(position),
            tables=tables,
            transactions=self.transactions + transactions,
            changes=self.changes + changes,
        )

    def with_tables(self, tables: Mapping[str, TableState]) -> State:
        return replace(self, tables={**self.tables, **tables})


def path(settings: Settings) -> Path:
    return settings.home / "cdc" / "state.json"


def load(settings: Settings) -> State | None:
    """What the last run left; None before the first one."""
    file = path(settings)
    try:
        values = json.loads(file.read_text("utf8"))
        tables = {
            name: TableState(
                table["identity"],
                tuple((int(since), int(number)) for since, number in table["generations"]),
                table["is_complete"],
            )
            for name, table in values.pop("tables").items()
        }
        state = State(**values, tables=tables)
        _ = state.position, state.last_generation
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise LakehouseError(
            f"{file}, which says how far the ERP has been read, cannot be read: {error}",
            hint=f"{TO_START_ANEW}",
        ) from error
    return state


def save(settings: Settings, state: State) -> State:
    """Replace the file durably: after a crash there is the old one or the new one."""
    file = path(settings)
    unfinished = file.with_suffix(".new")
    state = replace(state, saved_at=time.time())
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("w", encoding="utf8") as out:
            json.dump(asdict(state), out, indent=2)
            out.flush()
            os.fsync(out.fileno())
        unfinished.replace(file)
        sync_folder(file.parent)
    except OSError as error:
        raise LakehouseError(
            f"{file} could not be written: {error.strerror}",
            hint=f"make room and rights in {file.parent}, then run the same command again",
        ) from error
    return state


def lsn_number(text: str) -> int:
    high, low = text.split("/")
    return int(high, 16) << 32 | int(low, 16)


def lsn_text(number: int) -> str:
    return f"{number >> 32:X}/{number & 0xFFFFFFFF:X}"
