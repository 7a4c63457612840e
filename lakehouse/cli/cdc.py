"""The commands of `lakehouse cdc`."""

from __future__ import annotations

import signal
import threading
from dataclasses import asdict

import click

from lakehouse.cli import report
from lakehouse.cli.shell import Answer, answers
from lakehouse.cli.step import run_step
from lakehouse.settings import Settings


@click.group("cdc")
def cdc_group() -> None:
    """Change data capture from the ERP into landing."""


@cdc_group.command("sync")
@click.option("--follow", is_flag=True, help="Go on, and load bronze after each landing.")
@answers
def cdc_sync(settings: Settings, *, follow: bool) -> Answer:
    """Take a snapshot when new, else every change up to now."""
    return _follow(settings) if follow else run_step(settings, "extract")


@cdc_group.command("resync")
@click.argument("tables", nargs=-1, metavar="[TABLE]...")
@answers
def cdc_resync(settings: Settings, *, tables: tuple[str, ...]) -> Answer:
    """Snapshot tables anew; without names all of them, also after a lost slot or server."""
    from lakehouse import bronze, cdc
    from lakehouse.orchestration import chain

    above = bronze.last_generation(settings)
    data = asdict(cdc.resync(settings, tables, chain.erp_contracts(), after_generation=above))
    return Answer(data, report.line("resync", data))


def _follow(settings: Settings) -> Answer:
    from lakehouse import bronze, cdc
    from lakehouse.orchestration import chain

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    synced = cdc.follow(
        settings,
        # Without the lake's lock: bronze takes two writers at once, and the chain may run.
        lambda: bronze.load(settings),
        chain.erp_contracts(),
        after_generation=bronze.last_generation(settings),
        stop=stop.is_set,
    )
    data = asdict(synced)
    return Answer(data, report.line("followed", data))
