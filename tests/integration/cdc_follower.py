"""A follower in a thread of the test's own, and what is waited for beside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lakehouse import cdc
from lakehouse.cdc import reader
from lakehouse.cdc.checks import Needed
from lakehouse.lock import READER, holder
from lakehouse.settings import Settings
from tests.integration.cdc_replay import ask, delivered, execute


class Follower:
    """A follower in a thread of this process."""

    def __init__(self, settings: Settings, on_landed: Callable[[], object], needed: Needed) -> None:
        self.error: BaseException | None = None
        self.synced: cdc.Synced | None = None
        self.stop = threading.Event()
        self._settings, self._on_landed, self._needed = settings, on_landed, needed
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self.synced = cdc.follow(
                self._settings, self._on_landed, self._needed, stop=self.stop.is_set
            )
        except BaseException as error:
            self.error = error


@contextmanager
def following(
    settings: Settings,
    on_landed: Callable[[], object] = lambda: None,
    needed: Needed = reader.NOTHING_NEEDED,
) -> Iterator[Follower]:
    """A follower that holds the lake for the length of a block."""
    follower = Follower(settings, on_landed, needed)
    follower.thread.start()
    try:
        comes_true(lambda: holder(settings, READER) is not None)
        yield follower
    finally:
        follower.stop.set()
        follower.thread.join(30)
    assert not follower.thread.is_alive()


def comes_true(
    condition: Callable[[], bool], within_s: float = 60.0, follower: Follower | None = None
) -> None:
    """Wait for it; what ended the follower meanwhile is raised."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        if follower is not None and follower.error is not None:
            raise follower.error
        time.sleep(0.02)


def slot_is_read(settings: Settings) -> bool:
    """Whether a reader is connected."""
    return bool(ask(settings, "select 1 from pg_replication_slots where active"))


def terminate(settings: Settings) -> None:
    """End the process of the server that sends the change log."""
    execute(
        settings,
        "select pg_terminate_backend(active_pid) from pg_replication_slots "
        "where active_pid is not null",
    )


def has_landed(settings: Settings, tower: str) -> Callable[[], bool]:
    """A condition: a change of that tower is in landing."""
    return lambda: any(row["tower_id"] == tower for row in delivered(settings, "towers"))
