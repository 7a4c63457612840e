"""One alert an incident, wherever it is told, and none of the channels' secrets in it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg2
import pytest

from lakehouse import settings as lakehouse_settings
from lakehouse.errors import LakehouseError, RefusedError
from lakehouse.lock import LockHeldError
from lakehouse.orchestration import alerts, channels, incidents
from lakehouse.orchestration.incidents import Page
from lakehouse.settings import PROJECT, Settings
from tests.fixtures.channels import Slack, Smtp, serving
from tests.fixtures.lakes import alerts as book

CANARY = "canary-5f0c2d"
GATE = RefusedError(
    "the gate is closed: dim_items.item_id failed (such as ['010825'])", hint="look"
)


@pytest.fixture(scope="module", autouse=True)
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Airflow reads where its home is when it is imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
        yield


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A lake of nothing; what a server would say of it is put in its place."""
    monkeypatch.setenv("LAKEHOUSE_HOME", str(tmp_path))
    monkeypatch.setattr(alerts, "failed_checks", lambda *_: ["dim_items.item_id: unique failed"])
    monkeypatch.setattr(alerts, "_served", lambda _: "the marts as of 2025-01-24")
    return lakehouse_settings.load()


def fail(error: object, run_id: str = "monday", task: str = "check_marts") -> None:
    """Airflow calls back for a task that has failed for good."""
    alerts.alert(
        {
            "ti": SimpleNamespace(dag_id="daily", run_id=run_id, task_id=task),
            "task": SimpleNamespace(step="checkpoint"),
            "exception": error,
        }
    )


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Slack]]:
    class OurSlack(Slack):
        said: list[dict[str, Any]] = []

    with serving(OurSlack) as port:
        saved = {
            "conn_type": "slackwebhook",
            "password": f"T0/{CANARY}",
            "host": f"http://127.0.0.1:{port}",
        }
        monkeypatch.setenv("AIRFLOW_CONN_SLACK_ALERTS", json.dumps(saved))
        yield OurSlack


@pytest.fixture
def smtp(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Smtp]]:
    class OurSmtp(Smtp):
        said: list[str] = []

    with serving(OurSmtp) as port:
        extra = {
            "disable_ssl": True,
            "disable_tls": True,
            "from_email": "lake@example.org",
            "to": "on-call@example.org",
        }
        saved = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_ALERTS", json.dumps(saved))
        yield OurSmtp


def test_an_alert_says_what_is_wrong_what_is_served_and_what_to_do(lake: Settings) -> None:
    fail(GATE)
    [line] = book(lake)
    assert line["kind"] == "alert"
    assert line["run_id"] == "daily.monday"
    assert line["task_id"] == "check_marts"
    assert "010825" in line["what"]
    assert line["checks"] == ["dim_items.item_id: unique failed"]
    assert line["served"] == "the marts as of 2025-01-24"
    assert line["runbook"] == "docs/runbooks/gate-closed.md"
    assert (line["told"], line["not_told"]) == ([], {})


def test_slack_and_the_mail_box_are_told_the_same(
    lake: Settings, slack: type[Slack], smtp: type[Smtp]
) -> None:
    fail(GATE)
    [line] = book(lake)
    assert line["told"] == [channels.SLACK, channels.EMAIL]
    [message], [mail] = slack.said, smtp.said
    for told in (message["text"], mail):
        assert "stopped at check_marts" in told
        assert "dim_items.item_id: unique failed" in told
        assert "docs/runbooks/gate-closed.md" in told
    assert "on-call@example.org" in mail


def test_an_incident_is_told_once_and_another_one_too(lake: Settings, slack: type[Slack]) -> None:
    fail(GATE)
    fail(GATE)  # cleared, and as before
    assert len(slack.said) == 1
    fail(RefusedError("the gate is closed: another reason", hint="look"))
    fail(GATE, run_id="tuesday")
    assert len(slack.said) == 3
    assert [line["kind"] for line in book(lake)] == ["alert", "again", "alert", "alert"]


@pytest.mark.parametrize("how", ["refuses", "is away", "has no token"])
def test_a_slack_that_errors_hides_nothing(
    lake: Settings, slack: type[Slack], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    slack.status = 500 if how == "refuses" else 200
    if how == "is away":
        away = {"conn_type": "slackwebhook", "password": "x", "host": "http://127.0.0.1:1"}
        monkeypatch.setenv("AIRFLOW_CONN_SLACK_ALERTS", json.dumps(away))
    if how == "has no token":
        monkeypatch.setenv("AIRFLOW_CONN_SLACK_ALERTS", json.dumps({"conn_type": "slackwebhook"}))
    fail(GATE)
    [line] = book(lake)
    assert line["told"] == []
    assert list(line["not_told"]) == [channels.SLACK]


def test_no_secret_of_a_channel_is_left_anywhere(
    lake: Settings, slack: type[Slack], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "lakehouse")
    fail(GATE)
    slack.status = 500
    fail(GATE, run_id="tuesday")
    assert all(CANARY in message["path"] for message in slack.said)  # it did go to the right place
    assert all(CANARY not in message["text"] for message in slack.said)
    assert CANARY not in (lake.home / "alerts.log").read_text("utf8")
    assert CANARY not in caplog.text


def test_who_was_told_of_an_incident_is_told_that_it_is_over(
    lake: Settings, slack: type[Slack]
) -> None:
    alerts.recover(lake, "daily", "daily.sunday")
    assert slack.said == []  # a good day is no news
    fail(GATE)
    alerts.recover(lake, "another", "another.monday")
    alerts.recover(lake, "daily", "daily.tuesday")
    alerts.recover(lake, "daily", "daily.wednesday")
    assert len(slack.said) == 2
    assert "runs again" in slack.said[1]["text"]


def run_failed(began: datetime, step: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow calls back for the whole run, whose last step is recorded as running still."""
    monkeypatch.setattr(alerts, "_unended", lambda *_: step)
    alerts.alert_of_run(
        {
            "dag": SimpleNamespace(dag_id="daily"),
            "run_id": "monday",
            "dag_run": SimpleNamespace(start_date=began),
            "ti": SimpleNamespace(task_id="notify"),
        }
    )


def test_a_task_that_was_killed_is_told_by_its_run(
    lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_failed(datetime.now(UTC), "bronze", monkeypatch)
    [line] = book(lake)
    assert line["task_id"] == "bronze"
    assert Path(line["runbook"]).stem == "task-killed"


def test_a_run_whose_task_has_told_tells_nothing_more(
    lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = datetime.now(UTC)
    fail(GATE)
    run_failed(began, None, monkeypatch)
    assert len(book(lake)) == 1
    cleared = datetime.now(UTC)
    fail(GATE)  # as before
    run_failed(cleared, None, monkeypatch)
    assert [line["kind"] for line in book(lake)] == ["alert", "again"]
    # Begun again, once it was cleared, and killed this time.
    run_failed(began + timedelta(hours=1), "bronze", monkeypatch)
    assert [line["kind"] for line in book(lake)] == ["alert", "again", "alert"]


def test_a_line_that_was_cut_short_is_passed_over(lake: Settings) -> None:
    (lake.home / "alerts.log").write_text('{"incident": "daily.mon\n')
    fail(GATE)
    assert len((lake.home / "alerts.log").read_text("utf8").splitlines()) == 2


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "page"),
    [
        (GATE, Page.GATE_CLOSED),
        (KeyError("a bug"), Page.GATE_CLOSED),
        (None, Page.TASK_KILLED),
        ("killed by somebody", Page.TASK_KILLED),
        (LockHeldError("held", hint="wait"), Page.LAKE_HELD),
        (caused(LakehouseError("away", hint=""), psycopg2.OperationalError()), Page.SERVER_AWAY),
        (caused(LakehouseError("full", hint=""), OSError(28, "no room")), Page.DISK_FULL),
        (psycopg2.errors.DiskFull(), Page.DISK_FULL),
    ],
)
def test_the_cause_chooses_the_page(error: object, page: Page) -> None:
    assert incidents.page("checkpoint", error) == page


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    folder = PROJECT / "docs" / "runbooks"
    pages = {path.stem: path.read_text("utf8") for path in folder.glob("*.md")}
    index = pages.pop("README")
    assert set(pages) == set(Page)
    assert set(incidents.OF_STEP.values()) <= set(Page)
    for name, text in pages.items():
        assert f"({name}.md)" in index
        for part in ("**Means.**", "**Served.**", "**Do.**", "**Caused by.**"):
            assert part in text, f"{name} lacks {part}"
        tests = re.findall(r"`(tests/\S+?\.py)::(test_\w+)`", text)
        assert tests, f"{name} names no test"
        for file, test in tests:
            assert f"def {test}(" in (PROJECT / file).read_text("utf8"), f"{name}: {test}"
