"""The doctor names what is missing, and the way to get it."""

from __future__ import annotations

import importlib.util
import shutil
from dataclasses import replace

import pytest

from lakehouse.cli import doctor
from lakehouse.erp import postgres
from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings


def missing(lake: Settings) -> dict[str, str]:
    return {check.name: check.remedy for check in doctor.examine(lake) if not check.found}


def test_here_nothing_is_missing(lake: Settings) -> None:
    assert missing(lake) == {}


def test_no_postgresql_for_the_platform_is_named_with_a_way_round(
    lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(LakehouseError, match="no PostgreSQL 18 programs for this platform"):
        postgres.up(lake)
    assert "ERP_DSN" in missing(lake)["postgresql 18"]


def test_a_missing_program_a_full_disk_and_a_closed_folder_are_named(
    lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=2**20))
    file = lake.home.with_name("a file")
    file.touch()
    found = missing(replace(lake, home=file))
    assert found.keys() == {"git", "make", "disk space", "lake folder"}
