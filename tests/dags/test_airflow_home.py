"""Airflow's folder: what is kept when it is made again, and who may read it."""

from __future__ import annotations

import configparser
import socket
from pathlib import Path

import pytest

from lakehouse import settings as lakehouse_settings
from lakehouse.erp.cluster import Server
from lakehouse.errors import LakehouseError
from lakehouse.orchestration.airflow_home import KEYS, Airflow, command, configure
from lakehouse.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return lakehouse_settings.load({"LAKEHOUSE_HOME": str(tmp_path)})


def made(settings: Settings, server_port: int = 5432) -> tuple[Airflow, configparser.ConfigParser]:
    airflow = configure(settings, Server(server_port, "/run", str(settings.home / "pass 100%")))
    file = configparser.ConfigParser()
    file.read(airflow.configuration, "utf8")
    return airflow, file


def test_keys_and_password_stay_when_the_server_moves(settings: Settings) -> None:
    airflow, first = made(settings)
    password = airflow.passwords.read_text("utf8")
    again, second = made(settings, server_port=5433)
    assert again == airflow
    assert again.passwords.read_text("utf8") == password
    for section, option, _ in KEYS:
        assert first[section][option] == second[section][option]
    assert "127.0.0.1:5433/airflow?passfile=" in second["database"]["sql_alchemy_conn"]
    assert "pass%20100%25" in second["database"]["sql_alchemy_conn"]


def test_a_port_that_is_taken_is_left_for_another_in_every_place(settings: Settings) -> None:
    airflow, _ = made(settings)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", airflow.port))
        taken.listen()
        moved, file = made(settings)
    assert moved.port != airflow.port
    assert file["api"]["port"] == str(moved.port)
    assert file["api"]["base_url"] == moved.url
    assert file["core"]["execution_api_server_url"] == f"{moved.url}/execution/"
    assert moved.pages_port == airflow.pages_port != moved.port
    assert file["lakehouse"]["pages_url"] == moved.pages_url


def test_nobody_else_may_read_the_secrets(settings: Settings) -> None:
    airflow, _ = made(settings)
    for path in (airflow.configuration, airflow.passwords):
        assert path.stat().st_mode & 0o077 == 0


def test_all_folders_are_below_the_lake(settings: Settings) -> None:
    _, file = made(settings)
    folders = {
        value
        for section in file.sections()
        for value in file[section].values()
        if value.startswith("/")
    }
    assert {f for f in folders if not f.startswith(str(settings.home))} == {
        str(lakehouse_settings.PROJECT / "dags")
    }


def test_the_callers_shell_cannot_lead_it_away(settings: Settings) -> None:
    airflow, _ = made(settings)
    called = command(settings, airflow, "version")
    unset = {name for flag, name in zip(called, called[1:], strict=False) if flag == "-u"}
    assert {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "AIRFLOW__CORE__EXECUTOR"} <= unset
    assert f"AIRFLOW_CONFIG={airflow.configuration}" in called


@pytest.mark.parametrize("broken", ["no section = 1", "[api]\nport = none\n"])
def test_a_broken_configuration_is_named(settings: Settings, broken: str) -> None:
    airflow, _ = made(settings)
    airflow.configuration.write_text(broken)
    with pytest.raises(LakehouseError, match="airflow.cfg"):
        made(settings)
