"""How a follower tries again: sooner, then later, and from the start after a success."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lakehouse import cdc
from lakehouse.cdc import reader, state
from lakehouse.cdc.connection import ConnectionLostError, UnreachableError
from lakehouse.cdc.state import State
from lakehouse.settings import Settings


def test_a_follower_backs_off_until_it_gets_on(
    lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.save(lake, State("1", 1, "0/1", {}))
    pauses: list[float] = []
    fates: Iterator[str] = iter("-------+--")

    def read(_: object) -> None:
        fate = next(fates, "end")
        if fate == "+":
            state.save(lake, State("1", 1, "0/2", {}))
        raise (
            UnreachableError("away", hint="")
            if fate == "-" and pauses
            else ConnectionLostError("lost", hint="")
        )

    monkeypatch.setattr(reader, "_read", read)
    monkeypatch.setattr(reader, "_sleep", lambda seconds, _: pauses.append(seconds))
    cdc.follow(lake, lambda: None, stop=lambda: len(pauses) == 10)
    assert pauses == [0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 30.0, 0.5, 1.0, 2.0]


def test_a_follower_does_not_wait_for_a_server_that_never_answered(
    lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(_: object) -> None:
        raise UnreachableError("away", hint="")

    monkeypatch.setattr(reader, "_read", read)
    with pytest.raises(UnreachableError):
        cdc.follow(lake, lambda: None)
