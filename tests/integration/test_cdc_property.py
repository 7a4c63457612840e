"""Any life of an ERP, with any deaths of its reader, ends with landing equal to PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakehouse.settings import Settings
from tests.integration.cdc_replay import delivered, embedded_server, execute, lake_on
from tests.integration.cdc_world import KINDS, SCHEMA, Step, World

# One server a file, so one worker a file.
pytestmark = [pytest.mark.server, pytest.mark.xdist_group(__name__)]

STEPS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 5), st.integers(0, 3)),
    min_size=10,
    max_size=40,
)
# No database of failures: instead, a failure prints the seed that repeats it.
PROFILE = settings(
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def server() -> Iterator[Settings]:
    with embedded_server() as lake:
        execute(
            lake,
            "alter system set logical_decoding_work_mem = '64kB'",  # so that much is streamed
            "select pg_reload_conf()",
        )
        yield lake


def live(server: Settings, steps: list[Step]) -> None:
    with lake_on(server, SCHEMA) as lake, closing(World(lake, server)) as world:
        for step in steps:
            world.take(step)
        world.check()


@settings(PROFILE, max_examples=5)
@given(steps=STEPS)
def test_a_short_life(server: Settings, steps: list[Step]) -> None:
    live(server, steps)


@pytest.mark.long
@settings(PROFILE, max_examples=150)
@given(steps=STEPS)
def test_a_long_life(server: Settings, steps: list[Step]) -> None:
    live(server, steps)


def test_every_step_is_taken_once(server: Settings) -> None:
    """Each kind of step works, so that no program is a program of refusals."""
    with lake_on(server, SCHEMA) as lake, closing(World(lake, server)) as world:
        world.take(("sync", 0, 0))
        for number, kind in enumerate(dict.fromkeys(KINDS)):
            world.take(("insert", number % 6, 0))
            world.take((kind, number % 6, 0))
            world.take(("commit", 0, 0))
        world.check()
        assert {row["_cdc_op"] for row in delivered(lake, "things")} == {
            "snapshot",
            "upsert",
            "delete",
        }
        kinds = {row["kind"] for row in delivered(lake, "boundaries", "_cdc")}
        assert kinds == {"snapshot", "truncate"}
