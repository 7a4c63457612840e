"""The address stays, and behind it is another server, or an earlier state of the same one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg2.extensions import make_dsn, parse_dsn

from lakehouse import cdc, landing
from lakehouse.erp import postgres
from lakehouse.errors import RefusedError
from lakehouse.settings import Settings
from tests.integration.cdc_proxy import Proxy
from tests.integration.cdc_replay import (
    differences,
    embedded_server,
    execute,
    lake_on,
    slot,
    towers,
)

# One server a file, so one worker a file.
pytestmark = [pytest.mark.server, pytest.mark.xdist_group(__name__)]


@pytest.fixture
def erp(server: Settings) -> Iterator[Settings]:
    with lake_on(server) as settings:
        execute(settings, towers(1, 50))
        yield settings


def port(settings: Settings) -> int:
    return int(parse_dsn(postgres.erp_dsn(settings))["port"])


def passfile(settings: Settings) -> Path:
    return Path(parse_dsn(postgres.erp_dsn(settings))["passfile"])


def assert_refused(lake: Settings, match: str) -> None:
    before = landing.list_files(lake)
    with pytest.raises(RefusedError, match=match) as refusal:
        cdc.sync(lake)
    assert refusal.value.exit_status == 3
    assert "lakehouse cdc resync" in refusal.value.hint
    assert landing.list_files(lake) == before


def test_another_cluster_behind_the_same_address(server: Settings, erp: Settings) -> None:
    own, password = passfile(server), passfile(server).read_text("utf8").strip()
    with embedded_server() as other, lake_on(other) as there, Proxy(port(erp)) as proxy:
        execute(
            there,
            f"alter role lakehouse password '{password.rpartition(':')[2]}'",
            towers(30, 90),
        )
        shutil.copyfile(own, passfile(other))
        lake = replace(erp, erp_dsn=make_dsn(postgres.erp_dsn(erp), port=proxy.port))
        cdc.sync(lake)
        proxy.lead_to(port(there))
        assert_refused(lake, "is another one")
        synced = cdc.resync(lake)
        assert (synced.generation, synced.snapshot_rows) == (2, 61)
        assert differences(lake) == {}
        execute(there, "delete from towers where tower_id = 'T30'")
        assert cdc.sync(lake).changes == 1
        assert differences(lake) == {}


def test_a_server_that_was_put_back_to_an_earlier_state(server: Settings, erp: Settings) -> None:
    cdc.sync(erp)
    assert slot(erp) is not None  # nobody holds it
    data, copy = server.postgres_home / "data", server.postgres_home / "copy"
    postgres.down(server)
    shutil.copytree(data, copy, symlinks=True)
    postgres.up(server)
    execute(erp, towers(60, 99))
    assert cdc.sync(erp).changes == 40

    postgres.down(server)
    shutil.rmtree(data)
    copy.rename(data)
    postgres.up(server)
    assert_refused(erp, "was put back to an earlier state")
    execute(erp, "delete from towers where tower_id = 'T5'")
    synced = cdc.resync(erp)
    assert (synced.generation, synced.snapshot_rows) == (2, 49)
    assert differences(erp) == {}
