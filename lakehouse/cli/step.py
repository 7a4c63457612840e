"""A step of the chain as a command of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.cli import report
from lakehouse.cli.shell import Answer
from lakehouse.settings import Settings

if TYPE_CHECKING:
    from lakehouse.orchestration.chain import StepFunction


def run_step(
    settings: Settings, step: str, run_id: str | None = None, *, do: StepFunction | None = None
) -> Answer:
    """Run one step under the lake's lock, keep a record of it, and say what came of it."""
    from lakehouse.orchestration import chain

    data = chain.run_step(settings, step, run_id, do=do)
    return Answer(data, report.line(step, data))
