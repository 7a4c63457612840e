"""A small ERP that lives by steps, each a word and two numbers, and a reader that is beside it.

Any sequence of steps is a life: what PostgreSQL refuses (a lock, a key that is there) is undone.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import Any

import psycopg2
from psycopg2.extensions import STATUS_READY, TRANSACTION_STATUS_IDLE
from psycopg2.extensions import connection as Connection

from lakehouse import cdc
from lakehouse.cdc import connection, copying, pending, state
from lakehouse.erp import postgres
from lakehouse.landing import files
from lakehouse.settings import Settings
from tests.integration.cdc_replay import ask, differences, slot
from tests.integration.processes import die_before, processes

SCHEMA = """
create table things (
    id text primary key, n int, price numeric(12, 2), at timestamptz default now(),
    short text, long text, doc jsonb
);
create table parts (
    thing text not null references things on update cascade on delete cascade, part int, x real[],
    primary key (thing, part)
);
alter table things alter long set storage external;
create publication lakehouse for table things, parts
"""
LONG = "(select string_agg(md5(i::text || random()), '') from generate_series(1, 80) i)"
Step = tuple[str, int, int]
TRANSACTIONS = 2

STATEMENTS: dict[str, str] = {
    "insert": "insert into things values ('{a}', {b}, {a}.{b}, now(), 's{b}', {long}, '[{a}]')",
    "insert part": "insert into parts values ('{a}', {b}, '{{{{{a},null}}}}')",
    "update": "update things set n = {b}, short = '{a}' where id = '{a}'",
    "update to the same": "update things set n = n where id <= '{a}'",
    "update long": "update things set long = {long} where id = '{a}'",
    "strange": "update things set price = 'NaN', at = 'infinity' where id = '{a}'",
    "null": "update things set short = null, doc = null, at = null where id = '{a}'",
    "move": "update things set id = '{a}x{b}' where id = '{a}'",
    "move back": "update things set id = '{a}' where id = '{a}x{b}'",
    "swap": "update parts set part = -part - 1 where thing = '{a}'",
    "delete": "delete from things where id = '{a}'",
    "delete and insert": "delete from things where id = '{a}'; "
    "insert into things (id) values ('{a}')",
    "bulk": "insert into things select '{a}' || 'b' || i, i, i, now(), '', {long} "
    "from generate_series({b} * 100, {b} * 100 + 99) i on conflict do nothing",
    "bulk delete": "delete from things where id like '{a}b%'",
    "copy": "insert into parts select '{a}', i, array[i] from generate_series(100, 140) i",
    "truncate parts": "truncate parts",
    "truncate": "truncate things cascade",
    "savepoint": "savepoint s{b}",
    "rollback to": "rollback to s{b}",
    "release": "release s{b}",
    "add column": "alter table things add c{a} int; update things set c{a} = {b}",
    "drop column": "alter table things drop column c{a}",
    "rename column": "alter table things rename c{a} to r{a}; update things set n = n",
    "widen": "alter table things alter n type bigint",
    "full": "alter table things replica identity full",
    "default": "alter table things replica identity default",
    "message": "select pg_logical_emit_message(true, 'other', repeat('m', 100))",
}
LOCKING = {kind for kind, text in STATEMENTS.items() if text.startswith(("alter", "truncate"))}
"""What keeps others, the reader's look at the catalog too, from a table until it is committed."""
DEATHS: tuple[tuple[Any, str, int], ...] = (
    (files, "_publish", 1),
    (files, "_publish", 2),
    (pending, "land_boundaries", 1),
    (state, "save", 1),
    (connection.Erp, "confirm", 1),
    (copying.Copier, "rows", 1),
)
READER = ("sync", "sync", "die", "resync", "terminate", "publish")
RESTART = "restart"
KINDS = (*STATEMENTS, "commit", "commit", "rollback", RESTART, *READER)


class World:
    """The ERP, its clients' transactions, and the reader."""

    def __init__(self, settings: Settings, server: Settings) -> None:
        self.settings = settings
        self._server = server
        self.clients = [self._client() for _ in range(TRANSACTIONS)]
        self.late_tables = 0
        self.is_locked = False
        self.needs_slot = True
        """Whether the next sync makes a slot, which waits for the transactions that are open."""

    def _client(self) -> Connection:
        return psycopg2.connect(
            postgres.erp_dsn(self.settings),
            options="-c lock_timeout=50ms -c synchronous_commit=on -c timezone=UTC",
        )

    def close(self) -> None:
        for client in self.clients:
            client.close()

    def take(self, step: Step) -> None:
        """Live one step."""
        kind, a, b = step
        if kind in STATEMENTS:
            self.is_locked |= kind in LOCKING
            self._execute(self.clients[b % TRANSACTIONS], STATEMENTS[kind], a, b)
        elif kind in ("commit", "rollback"):
            getattr(self.clients[b % TRANSACTIONS], kind)()
        elif kind == RESTART:
            self._restart(is_clean=a % 2 == 0)
        elif kind == "sync":
            if self.is_locked or self.needs_slot:
                self.finish()
            self._sync()
        else:
            self.finish()
            self.needs_slot = True
            {
                "die": lambda: self._die(a % len(DEATHS)),
                "resync": lambda: cdc.resync(self.settings, ("things", "parts")[: 1 + b % 2]),
                "terminate": self._terminate,
                "publish": self._publish,
            }[kind]()

    def check(self) -> None:
        """End all that is open; then the reader has what PostgreSQL has, and not more."""
        self.finish()
        self._sync()
        assert differences(self.settings) == {}

    def _execute(self, client: Connection, statement: str, a: int, b: int) -> None:
        statement = statement.format(a=a, b=b, long=LONG)
        try:
            with client.cursor() as cursor:
                cursor.execute(statement)
        except psycopg2.Error:
            client.rollback()

    def finish(self) -> None:
        """Commit what is open."""
        self.is_locked = False
        for client in self.clients:
            client.commit()
            assert client.status == STATUS_READY
            assert client.info.transaction_status == TRANSACTION_STATUS_IDLE

    def _sync(self) -> None:
        cdc.sync(self.settings)
        self.needs_slot = False
        known, found = state.load(self.settings), slot(self.settings)
        assert known is not None
        assert found is not None
        assert state.lsn_number(found["confirmed_flush_lsn"]) <= known.position

    def _die(self, number: int) -> None:
        """A sync in a process of its own that is killed in place of one call, if it comes to it."""
        child = os.fork()
        if child == 0:
            with suppress(BaseException):
                die_before(*DEATHS[number])
                cdc.sync(self.settings)
            os._exit(0)
        os.waitpid(child, 0)
        known, found = state.load(self.settings), slot(self.settings)
        if known is not None and known.durable_lsn is not None and found is not None:
            assert state.lsn_number(found["confirmed_flush_lsn"]) <= known.position

    def _restart(self, *, is_clean: bool) -> None:
        """PostgreSQL stops, in the fast way or at once; what was open is gone."""
        self.close()
        if is_clean:
            postgres.down(self._server)
        else:
            os.kill(processes(self._server)[0], signal.SIGQUIT)
        postgres.up(self._server)
        self.clients = [self._client() for _ in range(TRANSACTIONS)]
        self.is_locked = False

    def _terminate(self) -> None:
        """Break whatever connection reads, in the middle of a sync if it can be."""
        child = os.fork()
        if child == 0:
            with suppress(BaseException):
                cdc.sync(self.settings)
            os._exit(0)
        for _ in range(20):
            if os.waitpid(child, os.WNOHANG) != (0, 0):
                return
            self.terminate_once()
        os.waitpid(child, 0)

    def terminate_once(self) -> None:
        """Break the connection that reads now, if one does."""
        ask(
            self.settings,
            "select pg_terminate_backend(active_pid) from pg_replication_slots"
            " where active_pid is not null",
        )

    def _publish(self) -> None:
        """A new table, and another one in the place of an earlier one."""
        self.late_tables += 1
        name = f"late_{self.late_tables % 2}"
        self._execute(
            self.clients[0],
            f"drop table if exists {name}; create table {name} (id int primary key, t text);"
            f"insert into {name} values (1, 'before'); "
            f"alter publication lakehouse add table {name}",
            0,
            0,
        )
        self._execute(self.clients[0], f"insert into {name} values (2, 'after')", 0, 0)
        self.clients[0].commit()
