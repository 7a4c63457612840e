"""An ERP without a row: the whole chain runs, and the gate says which marts are empty and where."""

from __future__ import annotations

import pytest

from lakehouse import publish
from lakehouse.erp import company, postgres
from lakehouse.errors import RefusedError
from lakehouse.orchestration import chain
from lakehouse.settings import Settings
from tests.integration.thread import ask, change

pytestmark = [pytest.mark.server, pytest.mark.long]


def test_an_empty_company_is_not_served(server_lake: Settings) -> None:
    company.create(server_lake)
    erp, warehouse = postgres.erp_dsn(server_lake), postgres.warehouse_dsn(server_lake)
    [(tables,)] = ask(
        erp,
        "select string_agg(format('%I.%I', schemaname, tablename), ', ')"
        " from pg_tables where schemaname = 'public'",
    )
    change(erp, f"truncate {tables} cascade")

    with pytest.raises(RefusedError, match="the gate is closed .*dim_items: .*row_count") as closed:
        chain.run(server_lake)

    assert closed.value.exit_status == 3
    assert publish.served(server_lake) is None
    status = {row["step"]: row["status"] for row in chain.last_run(server_lake)}
    assert status["dbt_test"] == "done"
    assert status["checkpoint"] == "refused"
    empty = ask(
        warehouse,
        "select distinct subject from ops.quality_results"
        " where status = 'failed' and expectation like '%row_count%'",
    )
    assert ("dim_items",) in empty
    # Nothing came since, and what was refused is looked at again all the same.
    with pytest.raises(RefusedError, match="the gate is closed"):
        chain.run(server_lake)
