"""The commands of `lakehouse`: each one calls a step and says what came of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any, NoReturn

import click

from lakehouse.cli import doctor as diagnosis
from lakehouse.cli import report, ui
from lakehouse.cli import status as status_of
from lakehouse.cli.bronze import bronze_group
from lakehouse.cli.cdc import cdc_group
from lakehouse.cli.shell import Answer, answers, invoke
from lakehouse.cli.sources import sources_group
from lakehouse.cli.step import run_step
from lakehouse.cli.summary import summary, summary_text
from lakehouse.erp import postgres
from lakehouse.errors import LakehouseError, SettingsError
from lakehouse.lock import lake_lock
from lakehouse.settings import Settings

# Steps are imported inside the commands: dbt, duckdb and deltalake together cost seconds, and
# `lakehouse --help`, `up` and `doctor` need none of them.


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one command and exit with its status."""
    invoke(lakehouse, arguments)


engine_option = click.option(
    "--engine", metavar="NAME", help="duckdb or postgres; else LAKEHOUSE_ENGINE, else duckdb."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def lakehouse() -> None:
    """The Nova Corrente lakehouse: from a change in the ERP to a served mart."""


@lakehouse.group()
def demo() -> None:
    """The demo company in the embedded ERP."""


lakehouse.add_command(cdc_group)
lakehouse.add_command(bronze_group)
lakehouse.add_command(sources_group)
for shown in (ui.airflow, ui.data_docs, ui.docs, ui.ui):
    lakehouse.add_command(shown)


@lakehouse.command()
@click.option("--new-port", is_flag=True, help="Choose another port, when the old one is taken.")
@answers
def up(settings: Settings, *, new_port: bool) -> Answer:
    """Start the embedded PostgreSQL, made the first time."""
    postgres.up(settings, new_port=new_port)
    data = status_of.addresses(settings)
    return Answer(data, report.table(data))


@lakehouse.command()
@answers
def down(settings: Settings) -> Answer:
    """Stop the embedded PostgreSQL; everything on disk stays."""
    with lake_lock(settings, "lakehouse down"):
        stopped = postgres.down(settings)
    text = "PostgreSQL is stopped." if stopped else "PostgreSQL was not running."
    return Answer({"stopped": stopped}, text)


@lakehouse.command()
@answers
def status(settings: Settings) -> Answer:
    """Show what runs, what is served and since when, and how the last run went."""
    data = status_of.status(settings)
    return Answer(data, status_of.status_text(data))


@lakehouse.command()
@answers
def doctor(settings: Settings) -> Answer:
    """Say what this machine lacks, and how to get it."""
    checks = diagnosis.examine(settings)
    missing = [check for check in checks if check.needed and not check.found]
    text = report.doctor_text(checks)
    if missing:
        names = ", ".join(check.name for check in missing)
        raise LakehouseError(f"this machine lacks {names}\n{text}", hint=missing[0].remedy)
    return Answer({"checks": [asdict(check) for check in checks]}, text)


@demo.command("create")
@click.option("--scale", default=1.0, show_default=True, help="Size; 1 is 267 sites.")
@click.option("--seed", default=1, show_default=True, help="Another seed, another company.")
@click.option("--days", default=0, show_default=True, help="Business days to live at once.")
@answers
def demo_create(settings: Settings, *, scale: float, seed: int, days: int) -> Answer:
    """Make the company: items, suppliers, sites, stores and their opening stock."""
    from lakehouse.erp import company

    if days < 0:
        raise SettingsError(f"{days} days cannot be lived", hint="give a number from 0 on")
    with lake_lock(settings, "lakehouse demo create"):
        data = asdict(company.create(settings, seed=seed, scale=scale, days=days))
        if days:
            data |= asdict(company.advance(settings, days=days))
    return Answer(data, report.line("demo", data))


@demo.command("advance")
@click.option("--days", default=1, show_default=True, help="Business days to live.")
@answers
def demo_advance(settings: Settings, *, days: int) -> Answer:
    """Live more business days, committed the way an ERP does it."""
    from lakehouse.erp import company

    with lake_lock(settings, "lakehouse demo advance"):
        data = asdict(company.advance(settings, days=days))
    return Answer(data, report.line("demo", data))


@demo.command("truth")
@click.option(
    "--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="A day lived; else the last."
)
@click.option("--table", help="Give this table's rows as well.")
@answers
def demo_truth(settings: Settings, *, day: datetime | None, table: str | None) -> Answer:
    """Tell what was true at the end of a past day, by the ERP's own record."""
    from lakehouse.erp import truth

    asked = day.date() if day else None
    data = asdict(truth.on(settings, asked))
    lines = {"day": data["day"], "lsn": data["lsn"]}
    lines |= {name: f"{it['rows']:,} rows" for name, it in data["tables"].items()}
    text = report.table(lines)
    if table:
        data["rows"] = truth.rows(settings, table, asked)
        text += "\n" + "\n".join(json.dumps(row, ensure_ascii=False) for row in data["rows"])
    return Answer(data, text)


@lakehouse.command()
@click.option("--select", multiple=True, metavar="NODES", help="Only these models (dbt syntax).")
@click.option("--full-refresh", is_flag=True, help="Build anew what would be added to.")
@engine_option
@answers
def transform(
    settings: Settings, *, select: tuple[str, ...], full_refresh: bool, engine: str | None
) -> Answer:
    """Build and test the dbt models over what is new in bronze."""

    def do(settings: Settings, run_id: str) -> dict[str, Any]:
        from lakehouse import transform as steps

        built, tested = steps.transform(
            settings, run_id=run_id, select=select, full_refresh=full_refresh
        )
        return asdict(built) | asdict(tested)

    return run_step(settings.on_engine(engine), "transform", do=do)


@lakehouse.command()
@engine_option
@click.option("--accept", metavar="RUN", help="Let what this run refused pass; see docs/gate.md.")
@click.option("--reason", metavar="TEXT", help="Why the drift is right; it is recorded.")
@answers
def gate(
    settings: Settings, *, engine: str | None, accept: str | None, reason: str | None
) -> Answer:
    """Copy the marts beside the served ones and check them; or accept what was refused."""
    if (accept is None) != (reason is None):
        raise SettingsError(
            "--accept and --reason go together", hint="run `lakehouse gate --accept RUN --reason …`"
        )
    if accept is None or reason is None:
        return run_step(settings.on_engine(engine), "checkpoint")
    run, why = accept, reason

    def do(settings: Settings, _run_id: str) -> dict[str, Any]:
        from lakehouse import quality

        return asdict(quality.accept(settings, run_id=run, reason=why))

    return run_step(settings, "accept", do=do)


@lakehouse.command()
@click.option("--rollback", is_flag=True, help="Serve the marts before again.")
@answers
def publish(settings: Settings, *, rollback: bool) -> Answer:
    """Serve what the gate has passed, or what was withdrawn; then write gold."""
    from lakehouse import publish as steps
    from lakehouse.orchestration import chain

    if rollback:
        return run_step(settings, "rollback", do=chain.roll_back)
    return run_step(settings, "publish", steps.waiting(settings))


@lakehouse.command()
@click.option("--from", "since", metavar="DAY", help="The first day, as 2025-01-31.")
@click.option("--to", "until", metavar="DAY", help="The last day.")
@engine_option
@answers
def backfill(
    settings: Settings, *, since: str | None, until: str | None, engine: str | None
) -> Answer:
    """Build and test again what changed in the ERP in a range of days."""

    def do(settings: Settings, run_id: str) -> dict[str, Any]:
        from lakehouse import transform as steps
        from lakehouse.orchestration import jobs

        built = jobs.backfill(settings, run_id, how=jobs.RANGE, since=since, until=until)
        return built | asdict(steps.dbt_test(settings, run_id=run_id))

    return run_step(settings.on_engine(engine), "backfill", do=do)


@lakehouse.command()
@engine_option
@answers
def rebuild(settings: Settings, *, engine: str | None) -> Answer:
    """Drop the warehouse, build it again from bronze, and compare every mart."""

    def do(settings: Settings, run_id: str) -> dict[str, Any]:
        from lakehouse import transform as steps

        return asdict(steps.rebuild(settings, run_id=run_id))

    return run_step(settings.on_engine(engine), "rebuild", do=do)


@lakehouse.command()
@click.option("--demo", "with_demo", is_flag=True, help="Make the company, or live one more day.")
@engine_option
@answers
def run(settings: Settings, *, with_demo: bool, engine: str | None) -> Answer:
    """Run the whole chain; an interrupted run goes on where it stopped."""
    from lakehouse.orchestration import chain

    settings = settings.on_engine(engine)

    if settings.needs_embedded_postgres:
        postgres.up(settings)
    run_id = chain.run(settings, demo=with_demo, report=report.say)
    data = summary(settings, run_id)
    return Answer(data, summary_text(data))
