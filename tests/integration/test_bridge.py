"""The warehouse server, as DuckDB has it attached, when it is lost: what is told, and what not."""

from __future__ import annotations

import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extensions import make_dsn

from lakehouse import engine, publish
from lakehouse.erp import cluster, postgres
from lakehouse.errors import ServerAwayError
from lakehouse.orchestration import incidents
from lakehouse.publish import gold
from tests.fixtures.lakes import temporary_lake
from tests.integration.test_gate_swap import serve

pytestmark = pytest.mark.server


def test_a_server_that_is_lost_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with temporary_lake() as home:
        server = postgres.up(home)
        secret = password(server)
        dsn = make_dsn(server.dsn("warehouse"), password=secret, passfile="/dev/null")
        lake = replace(home, engine="postgres", warehouse_dsn=dsn)
        serve(replace(lake, engine="duckdb"), 1)
        commit = gold._commit

        def commit_without_a_server(*arguments: Any) -> bool:
            postgres.down(home)
            return commit(*arguments)

        monkeypatch.setattr(gold, "_commit", commit_without_a_server)

        def lose_it_while_it_is_asked() -> None:
            with engine.database(lake) as connection:
                query = "select count(*) from marts.fact_a"
                assert connection.execute(query).fetchone() == (1000,)
                postgres.down(home)
                for _ in range(3):  # the first may be asked over a connection that is still held
                    connection.execute(query).fetchall()

        with pytest.raises(ServerAwayError, match="mart fact_a could not be written") as mart:
            publish.write_gold(lake, run_id="run-1")
        postgres.up(home)
        with pytest.raises(ServerAwayError, match="could not do its part") as lost:
            lose_it_while_it_is_asked()
        with pytest.raises(ServerAwayError, match="DuckDB cannot connect") as away:
            lose_it_while_it_is_asked()
    for error in (mart.value, lost.value, away.value):
        assert "127.0.0.1" in error.what
        assert secret not in "".join(traceback.format_exception(error))
        assert incidents.passes_by_itself(error)


def password(server: cluster.Server) -> str:
    return Path(server.passfile).read_text("utf8").strip().rsplit(":", 1)[1]
