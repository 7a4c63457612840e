"""A follower beside random lives of an ERP, for minutes: it must stay right, and stay small.

`python -m tests.integration.soak MINUTES [SEED]` prints a line a round and ends with 1 if landing
ever differs from PostgreSQL, or if the follower's memory or open files grow.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import click

from lakehouse import cdc
from lakehouse.lock import READER as READER_LOCK
from lakehouse.lock import holder
from lakehouse.settings import Settings, export
from tests.integration.cdc_replay import differences, embedded_server, execute, lake_on
from tests.integration.cdc_world import READER, RESTART, SCHEMA, STATEMENTS, World

ROUND_STEPS = 60
KINDS = (*STATEMENTS, "commit", "commit", "rollback", "terminate reader")
RESTARTS = 0.2
"""How many of a round's ends are a restart of PostgreSQL."""
GROWTH_MB, GROWTH_FILES = 64, 8
"""What is noise: an allocator keeps some, a connection is open or not."""
WARM_UP = 0.25
"""Part of the time after which nothing may grow."""


FOLLOW = """
import signal, threading
from lakehouse import cdc, settings
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
cdc.follow(settings.load(), lambda: None, stop=stop.is_set)
"""


class Size(NamedTuple):
    """How big the follower was, and after which part of the time."""

    when: float
    mb: int
    files: int


def main() -> None:
    """Soak for as long as the first argument says."""
    minutes = float(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(2**32)
    click.echo(f"seed {seed}")
    with embedded_server() as server:
        execute(server, "alter system set logical_decoding_work_mem = '64kB'")
        execute(server, "select pg_reload_conf()")
        with lake_on(server, SCHEMA) as lake:
            sys.exit(soak(lake, server, random.Random(seed), minutes * 60))


def soak(lake: Settings, server: Settings, chance: random.Random, seconds: float) -> int:
    """Live rounds; the exit status."""
    environment = export(lake) | {"ERP_DSN": str(lake.erp_dsn)}
    with subprocess.Popen([sys.executable, "-c", FOLLOW], env=environment) as follower:
        while holder(lake, READER_LOCK) is None and follower.poll() is None:
            time.sleep(0.05)  # else a sync of ours would be the reader
        began, sizes = time.monotonic(), list[Size]()
        wrong: dict[str, list[str]] = {}
        with closing(World(lake, server)) as world:
            while (lived := time.monotonic() - began) < seconds and not wrong:
                for _ in range(ROUND_STEPS):
                    live(world, chance)
                world.finish()
                if chance.random() < RESTARTS:
                    world.take((RESTART, chance.randint(0, 1), 0))
                cdc.sync(lake)  # waits for the follower
                wrong = differences(lake)
                if follower.poll() is not None:
                    break
                sizes.append(Size(lived / seconds, *size(follower.pid)))
                click.echo(
                    f"{lived:6.0f} s  {sizes[-1].mb} MB  {sizes[-1].files} files  "
                    f"{wrong or 'equal'}"
                )
                execute(lake, "truncate things cascade")
        follower.terminate()
    return verdict(sizes, follower.returncode, wrong)


def live(world: World, chance: random.Random) -> None:
    """One step, which may break the follower's connection."""
    kind = chance.choice(KINDS)
    if kind == "terminate reader":
        world.terminate_once()
    else:
        world.take((kind, chance.randint(0, 5), chance.randint(0, 3)))


def verdict(sizes: list[Size], exit_status: int, wrong: dict[str, list[str]]) -> int:
    """Say what was found: 0 if it stayed right and flat."""
    warm = [size for size in sizes if size.when >= WARM_UP] or sizes
    grown_mb = warm[-1].mb - warm[0].mb if warm else 0
    grown_files = warm[-1].files - warm[0].files if warm else 0
    click.echo(
        f"grown by {grown_mb} MB and {grown_files} files in {len(warm)} rounds; "
        f"the follower ended with {exit_status}"
    )
    is_flat = bool(warm) and grown_mb <= GROWTH_MB and grown_files <= GROWTH_FILES
    return 0 if is_flat and exit_status == 0 and not wrong else 1


def size(pid: int) -> tuple[int, int]:
    """A process's resident memory in MB, and its open files."""
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20, files


assert not set(READER) & set(KINDS), "the follower is the only reader"

if __name__ == "__main__":
    main()
