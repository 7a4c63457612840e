"""An ERP with the company's own tables, empty, for a lake of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lakehouse.erp import postgres
from lakehouse.settings import Settings, load
from tests.integration.cdc_replay import execute, slot


@contextmanager
def whole_erp_on(server: Settings) -> Iterator[Settings]:
    """A new lake for the ERP's tables on that server, which is left without a trace."""
    with tempfile.TemporaryDirectory(prefix="lake-") as folder:
        settings = load({"LAKEHOUSE_HOME": folder, "ERP_DSN": postgres.erp_dsn(server)})
        execute(settings, Path(postgres.__file__).with_name("schema.sql").read_text("utf8"))
        yield settings
        execute(
            settings,
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()",
        )
        if slot(settings) is not None:
            execute(settings, "select pg_drop_replication_slot('lakehouse')")
        execute(
            settings,
            "drop publication if exists lakehouse; drop schema if exists demo cascade; "
            "drop schema public cascade; create schema public",
        )
