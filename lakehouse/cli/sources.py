"""The commands of `lakehouse sources`."""

from __future__ import annotations

from dataclasses import asdict

import click

from lakehouse.cli import report
from lakehouse.cli.shell import Answer, answers
from lakehouse.lock import lake_lock
from lakehouse.settings import Settings


@click.group("sources")
def sources_group() -> None:
    """What comes from elsewhere than the ERP, into landing."""


@sources_group.command("sync")
@click.argument("names", nargs=-1, type=click.Choice(["ml_results"]), metavar="[NAME]...")
@answers
def sources_sync(settings: Settings, *, names: tuple[str, ...]) -> Answer:  # noqa: ARG001
    """Land what is new: so far ml_results, the forecasts exported to `exports/ml_results`."""
    from lakehouse import sources

    with lake_lock(settings, "lakehouse sources sync"):
        data = asdict(sources.land(settings))
    return Answer(data, report.line("sources", data))
