"""Settings: defaults that work, and refusals that say what may stand there."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse import settings
from lakehouse.errors import SettingsError


def test_nothing_needs_to_be_set() -> None:
    found = settings.load({})
    assert found.home == settings.PROJECT / ".lakehouse"
    assert found.lake_uri == str(found.home)
    assert found.needs_embedded_postgres


def test_an_empty_value_counts_as_unset() -> None:
    assert settings.load({"ERP_DSN": "", "LAKE_URI": ""}) == settings.load({})


def test_a_relative_home_is_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert settings.load({"LAKEHOUSE_HOME": "here"}).home == tmp_path / "here"


def test_servers_of_others_need_no_embedded_one() -> None:
    both = {"ERP_DSN": "postgresql://a/erp", "WAREHOUSE_DSN": "postgresql://b/warehouse"}
    assert not settings.load(both).needs_embedded_postgres
    assert settings.load({"ERP_DSN": both["ERP_DSN"]}).needs_embedded_postgres


@pytest.mark.parametrize(
    ("name", "value"),
    [("LAKEHOUSE_ENGINE", "oracle"), ("LAKE_URI", "s3://bucket")],
)
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is '{value}'"):
        settings.load({name: value})


def test_another_engine_is_chosen_and_named_when_there_is_none() -> None:
    here = settings.load({"LAKEHOUSE_ENGINE": "duckdb"})
    assert here.on_engine(None) == here
    assert here.on_engine("postgres").engine == "postgres"
    with pytest.raises(SettingsError, match="--engine is 'oracle', and may be duckdb or postgres"):
        here.on_engine("oracle")
    for choose in (here.on_engine, lambda name: settings.load({"LAKEHOUSE_ENGINE": name})):
        with pytest.raises(SettingsError, match="is 'spark', and engine spark comes later"):
            choose("spark")


def test_what_is_exported_loads_to_the_same_settings(tmp_path: Path) -> None:
    given = settings.load({"LAKEHOUSE_HOME": str(tmp_path)})
    assert settings.load(settings.export(given)) == given


def test_a_dsn_that_is_none_is_refused_without_repeating_it() -> None:
    with pytest.raises(SettingsError, match="ERP_DSN is no PostgreSQL connection") as refused:
        settings.load({"ERP_DSN": "postgresql://me:s3cret@[::1/erp"})
    assert "s3cret" not in refused.value.what
