"""The follower through slow, cut and silent networks, and servers that are lost and come back."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from psycopg2.extensions import make_dsn, parse_dsn

from lakehouse import cdc
from lakehouse.cdc import connection, reader, stream
from lakehouse.cdc import slot as slots
from lakehouse.cdc.worker import Chunk, Worker
from lakehouse.erp import postgres
from lakehouse.settings import Settings
from tests.integration.cdc_follower import (
    comes_true,
    following,
    has_landed,
    slot_is_read,
    terminate,
)
from tests.integration.cdc_proxy import Proxy
from tests.integration.cdc_replay import differences, execute, lake_on, towers
from tests.integration.processes import processes

# One server a file, so one worker a file.
pytestmark = [pytest.mark.server, pytest.mark.xdist_group(__name__)]


@pytest.fixture
def erp(server: Settings) -> Iterator[Settings]:
    with lake_on(server) as settings:
        execute(settings, towers(1, 20))
        yield settings


@pytest.fixture
def proxied(erp: Settings) -> Iterator[tuple[Settings, Proxy]]:
    """The same ERP behind a network of our own."""
    port = int(parse_dsn(postgres.erp_dsn(erp))["port"])
    with Proxy(port) as proxy:
        yield replace(erp, erp_dsn=make_dsn(postgres.erp_dsn(erp), port=proxy.port)), proxy


def test_a_connection_that_is_cut_again_and_again(proxied: tuple[Settings, Proxy]) -> None:
    lake, proxy = proxied
    with following(lake) as follower:
        comes_true(has_landed(lake, "T1"))
        for number in range(100, 600, 100):
            execute(lake, towers(number, number + 50))
            proxy.cut()
        comes_true(has_landed(lake, "T550"), follower=follower)
    assert follower.error is None
    cdc.sync(lake)
    assert differences(lake) == {}


def test_a_backend_that_is_terminated(erp: Settings) -> None:
    with following(erp) as follower:
        for number in range(100, 400, 100):
            execute(erp, towers(number, number + 50))
            terminate(erp)
        comes_true(has_landed(erp, "T350"))
    assert follower.error is None
    cdc.sync(erp)
    assert differences(erp) == {}


def test_a_network_that_swallows_everything_is_left(
    proxied: tuple[Settings, Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, proxy = proxied
    monkeypatch.setattr(reader, "_FOLLOW_BEAT_S", 0.2)
    monkeypatch.setattr(stream, "_SILENCE_S", 1.0)
    monkeypatch.setattr(connection, "PATIENCE_S", 1.0)
    with following(lake) as follower:
        comes_true(has_landed(lake, "T1"))
        proxy.swallow()  # half-open: both ends believe that they are connected
        execute(replace(lake, erp_dsn=proxy.straight(lake.erp_dsn)), towers(50, 60))
        comes_true(lambda: proxy.refused > 0, follower=follower)
        proxy.heal()
        comes_true(has_landed(lake, "T60"))
    assert follower.error is None
    cdc.sync(lake)
    assert differences(lake) == {}


def test_what_was_landed_at_a_disconnect_is_told_before_anything_else_changes(
    erp: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing lands by the clock here, so only the disconnect makes it land."""
    monkeypatch.setattr(reader, "_FOLLOW_LAND_S", 3600.0)
    told = []
    with following(erp, lambda: told.append(has_landed(erp, "T60")())) as follower:
        comes_true(lambda: slot_is_read(erp))
        execute(erp, towers(50, 60))
        time.sleep(0.5)
        terminate(erp)
        comes_true(lambda: told[-1:] == [True], follower=follower)
    assert follower.error is None


@pytest.mark.parametrize("where", ["on_landed", "give"])
def test_own_slowness_is_not_taken_for_the_servers_silence(
    erp: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    monkeypatch.setattr(reader, "_FOLLOW_BEAT_S", 0.3)
    monkeypatch.setattr(stream, "_SILENCE_S", 1.0)
    give = Worker.give
    slow = threading.Event()

    def give_slowly(worker: Worker, chunk: Chunk) -> None:
        if where == "give" and slow.is_set():
            time.sleep(1.5)
        give(worker, chunk)

    def is_slow() -> None:
        if where == "on_landed" and slow.is_set():
            time.sleep(1.5)

    monkeypatch.setattr(Worker, "give", give_slowly)
    with following(erp, is_slow) as follower:
        comes_true(lambda: slot_is_read(erp))
        slow.set()
        execute(erp, towers(50, 60))
        comes_true(has_landed(erp, "T60"), follower=follower)
        time.sleep(2)
        slow.clear()
        execute(erp, towers(70, 80))
        comes_true(has_landed(erp, "T80"), follower=follower)
    assert "silent" not in caplog.text


def test_a_server_that_has_not_missed_the_lost_reader_is_waited_for(
    proxied: tuple[Settings, Proxy],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    lake, proxy = proxied
    monkeypatch.setattr(reader, "_FOLLOW_BEAT_S", 0.2)
    monkeypatch.setattr(stream, "_SILENCE_S", 1.0)
    monkeypatch.setattr(connection, "PATIENCE_S", 1.0)
    monkeypatch.setattr(slots, "_RELEASE_TIMEOUT_S", 0.3)
    with following(lake) as follower:
        comes_true(lambda: slot_is_read(lake))
        proxy.lose()
        execute(lake, towers(50, 60))
        comes_true(lambda: caplog.text.count("is in use by") > 1, follower=follower)
        proxy.cut()  # the server notices at last
        comes_true(has_landed(lake, "T60"), follower=follower)
    assert follower.error is None
    cdc.sync(lake)
    assert differences(lake) == {}


def test_the_server_gives_up_a_dead_path_before_long(proxied: tuple[Settings, Proxy]) -> None:
    with connection.connect(proxied[0]) as source:
        assert source.session.one("show tcp_user_timeout") == "60000"


def test_a_slow_network_only_takes_longer(proxied: tuple[Settings, Proxy]) -> None:
    lake, proxy = proxied
    cdc.sync(lake)
    proxy.slow(bytes_at_a_time=700)
    execute(lake, towers(100, 400))
    assert cdc.sync(lake).changes == 301
    assert differences(lake) == {}


@pytest.mark.parametrize("how", [signal.SIGQUIT, signal.SIGKILL], ids=["immediate", "kill -9"])
def test_a_server_that_is_killed_and_started_again(
    server: Settings, erp: Settings, how: signal.Signals
) -> None:
    with following(erp) as follower:
        comes_true(has_landed(erp, "T1"))
        execute(erp, "set synchronous_commit = on", towers(100, 150))
        postmaster, *children = processes(server)
        for pid in (postmaster, *children) if how == signal.SIGKILL else (postmaster,):
            with suppress(ProcessLookupError):  # children may be quick to follow their postmaster
                os.kill(pid, how)
        postgres.up(server)
        execute(erp, towers(200, 250))
        comes_true(has_landed(erp, "T250"), follower=follower)
    assert follower.error is None
    cdc.sync(erp)
    assert differences(erp) == {}
