"""What a person reads: addresses, the line of a step, the status of a lake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from psycopg2.extensions import make_dsn, parse_dsn

from lakehouse.cli.doctor import Check
from lakehouse.erp import postgres
from lakehouse.lock import holder
from lakehouse.settings import Settings

if TYPE_CHECKING:
    from lakehouse.orchestration.airflow_home import Airflow


def addresses(settings: Settings) -> dict[str, Any]:
    """Where the databases are; a password that a setting carries stays there."""
    return {
        "erp_dsn": _without_password(postgres.erp_dsn(settings)),
        "warehouse_dsn": _without_password(postgres.warehouse_dsn(settings)),
        "duckdb_path": str(settings.duckdb_path),
    }


def _without_password(dsn: str) -> str:
    parts = parse_dsn(dsn)
    return make_dsn(**parts) if parts.pop("password", None) else dsn


def status(settings: Settings) -> dict[str, Any]:
    """What runs, what is served, how the last run went."""
    from lakehouse import publish
    from lakehouse.orchestration import chain

    data: dict[str, Any] = {"home": str(settings.home), "lock": holder(settings)}
    if settings.needs_embedded_postgres and postgres.running(settings) is None:
        return data | {"running": False, "served": None, "last_run": []}
    served = publish.served(settings)
    return data | {
        "running": True,
        **addresses(settings),
        "served": asdict(served) if served else None,
        "last_run": chain.last_run(settings),
    }


def status_text(data: Mapping[str, Any]) -> str:
    """The status as a few short lines."""
    if not data["running"]:
        return f"PostgreSQL is not running: `lakehouse up` starts it.\nlake       {data['home']}"
    served = data["served"]
    lines = {"lake": data["home"], "warehouse": data["warehouse_dsn"]}
    if data["lock"]:
        lines["held by"] = data["lock"]
    if served:
        lines["served"] = f"as of {served['as_of_date']}, since {served['published_at']:%F %T %Z}"
        lines |= {f"  {mart}": f"{rows:,} rows" for mart, rows in sorted(served["marts"].items())}
    else:
        lines["served"] = "nothing yet: `lakehouse run --demo` makes a company and serves it"
    text = table(lines)
    if served:
        text += f"\n{'look':<24}any SQL client on `warehouse`, schema marts; `make airflow`"
    if data["last_run"]:
        states = " ".join(f"{row['step']}:{row['status']}" for row in data["last_run"])
        text += f"\n{'last run':<24}{data['last_run'][0]['run_id']}  {states}"
    return text


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
