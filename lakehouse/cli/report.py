"""What a person reads: the line of a step, what was proven, what this machine lacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from lakehouse.cli.doctor import Check

if TYPE_CHECKING:
    from lakehouse.orchestration.airflow_home import Airflow


def doctor_text(checks: Iterable[Check]) -> str:
    """A line a check: what was found, or how to get it."""
    return "\n".join(
        f"{'ok  ' if check.found else 'MISS' if check.needed else 'none'}  {check.name:<22}"
        f"{check.detail if check.found else check.remedy}"
        for check in checks
    )


def say(step: str, counts: Mapping[str, Any]) -> None:
    """Tell on stderr that a step is done, and what it did."""
    click.echo(line(step, counts), err=True)


def airflow_is_up(airflow: Airflow) -> None:
    """Tell on stderr where to log in; the password stays in its private file."""
    text = (
        f"Airflow is up at {airflow.url}; user admin, password in {airflow.passwords}; Ctrl-C stops"
    )
    click.echo(text, err=True)


def everything_is_up(airflow: Airflow) -> None:
    """Tell on stderr where each page is."""
    airflow_is_up(airflow)
    click.echo(pages_are_up(airflow.pages_url), err=True)


def pages_are_up(address: str) -> str:
    """Where the pages beside Airflow are."""
    return table(
        {
            "dbt docs": f"{address}/dbt/",
            "Data Docs": f"{address}/data_docs/",
            "runbooks": f"{address}/runbooks/",
        }
    )


def line(step: str, counts: Mapping[str, Any]) -> str:
    """One line for a step: its plain counts; what it says table by table is for `--json`."""
    plain = {name: value for name, value in counts.items() if isinstance(value, int | str)}
    parts = [f"{name.replace('_', ' ')} {_plain(value)}" for name, value in plain.items()]
    return f"{step:<12}" + " · ".join(parts)


def table(rows: Mapping[str, Any]) -> str:
    """Names and values in two columns."""
    return "\n".join(f"{name:<24}{value}" for name, value in rows.items())


def _plain(value: int | str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else value
