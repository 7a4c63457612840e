"""Empty databases on one server for demo companies to live in, and what is asked of them there."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import psycopg2

from lakehouse.erp import postgres
from lakehouse.settings import Settings
from tests.fixtures.lakes import temporary_lake

TABLES = (
    *("suppliers", "items", "item_suppliers", "towers", "contracts", "tower_contracts"),
    *("inventory", "stock_movements", "orders", "goods_receipts", "work_orders"),
    *("material_requests", "outages"),
)
Rows = list[tuple[Any, ...]]
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Ground:
    """A server that companies share: another database is much faster than another server."""

    settings: Settings
    server: postgres.Server

    def empty_erp(self) -> Settings:
        """The settings of an ERP that holds nothing yet."""
        name = f"erp_{next(_NUMBERS)}"
        execute(self.server.dsn("postgres"), f"create database {name}")
        return replace(self.settings, erp_dsn=self.server.dsn(name))


@contextmanager
def ground() -> Iterator[Ground]:
    """A server for the length of a block."""
    with temporary_lake() as settings:
        server = postgres.up(settings)
        # Many databases are thousands of files to sync, and no test here stops the machine.
        execute(server.dsn("postgres"), "alter system set fsync = off")
        execute(server.dsn("postgres"), "select pg_reload_conf()")
        yield Ground(settings, server)


def execute(dsn: str, sql: str, *values: object) -> Rows:
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def query(erp: Settings, sql: str, *values: object) -> Rows:
    return execute(postgres.erp_dsn(erp), sql, *values)


def query_after(erp: Settings, change: str, sql: str) -> Rows:
    """What a query would find after a change, which is taken back."""
    connection = psycopg2.connect(postgres.erp_dsn(erp))
    try:
        with connection.cursor() as cursor:
            cursor.execute(change)
            cursor.execute(sql)
            return cursor.fetchall()
    finally:
        connection.rollback()
        connection.close()


def hashes(erp: Settings) -> dict[str, str]:
    """The hash of every column of every row, timestamps too."""
    found = {}
    for table in TABLES:
        sql = f"select md5(string_agg(t::text, '|' order by t::text)) from {table} t"
        [(found[table],)] = query(erp, sql)
    return found
