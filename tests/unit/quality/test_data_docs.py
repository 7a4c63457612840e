"""Data Docs that cannot be built change nothing of what they would tell."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import psycopg2
import pytest

from lakehouse import ops
from lakehouse.quality import data_docs
from lakehouse.settings import Settings

LOST = psycopg2.OperationalError("server closed the connection unexpectedly")


@pytest.mark.parametrize("how", ["no server", "a server that is lost", "no room"])
def test_pages_that_cannot_be_built_are_a_warning(
    how: str, lake: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def warehouse(_: Settings) -> AbstractContextManager[Any]:
        if how == "a server that is lost":
            raise LOST
        return nullcontext(Nothing())

    if how != "no server":
        monkeypatch.setattr(ops, "warehouse", warehouse)
    if how == "no room":
        lake.home.mkdir()
        (lake.home / data_docs.FOLDER).touch()
    with caplog.at_level(logging.WARNING):
        data_docs.renew(lake)
    assert "Data Docs are not renewed" in caplog.text


class Nothing:
    """A connection and its cursor, of a server that holds nothing."""

    def cursor(self) -> AbstractContextManager[Nothing]:
        return nullcontext(self)

    def execute(self, *_: object) -> None:
        pass

    def __iter__(self) -> Nothing:
        return self

    def __next__(self) -> None:
        raise StopIteration
