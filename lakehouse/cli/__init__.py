"""The one entry point, `lakehouse`: every command is a step that Airflow could call as well."""

from lakehouse.cli.commands import main

__all__ = ["main"]
