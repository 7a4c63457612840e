"""One server for all tests of the gate, and a lake with a database of its own for each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg2

from lakehouse import settings as lakehouse_settings
from lakehouse.erp import postgres
from lakehouse.settings import Settings
from tests.fixtures.lakes import temporary_lake
from tests.integration.thread import change


@contextmanager
def running_server() -> Iterator[postgres.Server]:
    """An embedded server, gone after the block."""
    with temporary_lake() as lake:
        yield postgres.up(lake)


def new_lake(server: postgres.Server, home: Path) -> Settings:
    """An empty lake, whose marts are served from a new database."""
    connection = psycopg2.connect(server.dsn("postgres"))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("select 'lake_' || count(*) from pg_database")
        ((name,),) = cursor.fetchall()
        cursor.execute(f"create database {name}")
    connection.close()
    lake = lakehouse_settings.load({"LAKEHOUSE_HOME": str(home)})
    home.mkdir()
    return replace(lake, warehouse_dsn=server.dsn(name))


def pass_the_gate(lake: Settings) -> None:
    """Let the staged marts pass unchecked, where the check is not what is tested."""
    change(postgres.warehouse_dsn(lake), "update ops.gates set passed_at = now()")
