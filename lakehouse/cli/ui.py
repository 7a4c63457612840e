"""The commands that show something in a browser: Airflow, and the pages beside it."""

from __future__ import annotations

import time
from dataclasses import asdict

import click

from lakehouse.cli import report
from lakehouse.cli.shell import Answer, answers
from lakehouse.errors import LakehouseError
from lakehouse.lock import lake_lock
from lakehouse.settings import Settings


@click.command()
@answers
def airflow(settings: Settings) -> Answer:
    """Serve the Airflow UI on this machine, until Ctrl-C."""
    from lakehouse.orchestration import airflow as server

    server.serve(settings, report.airflow_is_up)
    return Answer({"stopped": True}, "Airflow is stopped.")


@click.command()
@click.option("--serve", is_flag=True, help="Serve it until Ctrl-C, with Data Docs and runbooks.")
@answers
def docs(settings: Settings, *, serve: bool) -> Answer:
    """Make dbt's documentation of the warehouse: models, columns, tests, lineage."""
    page = _document(settings)
    if serve:
        from lakehouse.orchestration import pages
        from lakehouse.orchestration.processes import until_stopped

        with until_stopped(), pages.serving(settings) as address:
            click.echo(report.pages_are_up(address), err=True)
            while True:
                time.sleep(1)
    return Answer({"page": page}, f"dbt docs are in {page}")


@click.command("data-docs")
@answers
def data_docs(settings: Settings) -> Answer:
    """Make the pages of what was expected of the data, and what was found, in the newest runs."""
    from lakehouse.quality import data_docs as pages

    data = asdict(pages.build(settings))
    return Answer(data, f"Data Docs of {data['runs']} runs are in {data['page']}")


@click.command()
@answers
def ui(settings: Settings) -> Answer:
    """Serve all there is to look at on this machine, until Ctrl-C: Airflow, dbt docs, Data Docs."""
    from lakehouse.orchestration import airflow as server

    try:
        _document(settings)
    except LakehouseError as error:
        # The others are worth a look without it; somebody may hold the lake, or it may be new.
        click.echo(f"dbt docs are not renewed: {error.what}", err=True)
    server.serve(settings, report.everything_is_up)
    return Answer({"stopped": True}, "All of it is stopped.")


def _document(settings: Settings) -> str:
    from lakehouse import transform

    with lake_lock(settings, "lakehouse docs"):
        return str(transform.document(settings))
