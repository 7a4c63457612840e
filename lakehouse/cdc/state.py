"""How far the reader is: one small file, written whole, never ahead of the landing files."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from lakehouse.errors import LakehouseError
from lakehouse.landing.files import sync_folder
from lakehouse.settings import Settings

TO_START_ANEW = (
    "for a new snapshot, remove cdc/state.json from the lake's folder, drop the ERP's slot if it "
    "is still there (`select pg_drop_replication_slot('lakehouse')`), and run `lakehouse cdc sync`"
)


@dataclass(frozen=True)
class State:
    """The server that is read, and the position up to which its changes are durable here."""

    system_identifier: str
    timeline: int
    generation: int
    tables: tuple[str, ...]
    durable_lsn: str | None
    """None until the generation's snapshot has been read to its end."""

    @property
    def position(self) -> int:
        return 0 if self.durable_lsn is None else lsn_number(self.durable_lsn)


def path(settings: Settings) -> Path:
    return settings.home / "cdc" / "state.json"


def load(settings: Settings) -> State | None:
    """What the last run left; None before the first one."""
    file = path(settings)
    try:
        values = json.loads(file.read_text("utf8"))
        state = State(**{**values, "tables": tuple(values["tables"])})
        _ = state.position
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise LakehouseError(
            f"{file}, which says how far the ERP has been read, cannot be read: {error}",
            hint=TO_START_ANEW,
        ) from error
    return state


def save(settings: Settings, state: State) -> None:
    """Replace the file durably: after a crash there is the old one or the new one."""
    file = path(settings)
    unfinished = file.with_suffix(".new")
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


def lsn_number(text: str) -> int:
    high, low = text.split("/")
    return int(high, 16) << 32 | int(low, 16)


def lsn_text(number: int) -> str:
    return f"{number >> 32:X}/{number & 0xFFFFFFFF:X}"
