"""The pages beside Airflow: what is served, and that nothing else is."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse import settings as lakehouse_settings
from lakehouse.orchestration import pages
from lakehouse.orchestration.incidents import Page


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    settings = lakehouse_settings.load({"LAKEHOUSE_HOME": str(tmp_path)})
    (tmp_path / "data_docs").mkdir()
    (tmp_path / "data_docs" / "index.html").write_text("<p>all passed")
    (tmp_path / "data_docs" / "empty").mkdir()
    (tmp_path / "secret").write_text("a password")
    with pages.serving(settings) as address:
        yield int(address.rpartition(":")[2])


def get(port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_the_first_page_leads_to_what_is_there(port: int) -> None:
    status, text = get(port, "/")
    assert status == 200
    assert 'href="/data_docs/"' in text
    assert 'href="/runbooks/"' in text
    assert "dbt docs (not made yet)" in text
    assert get(port, "/data_docs/") == (200, "<p>all passed")


@pytest.mark.parametrize("page", Page)
def test_a_runbook_is_a_page(port: int, page: Page) -> None:
    status, text = get(port, f"/runbooks/{page}.md")
    assert status == 200
    assert "<strong>Do.</strong>" in text


def test_the_runbooks_are_listed(port: int) -> None:
    status, text = get(port, "/runbooks/")
    assert status == 200
    assert "<table>" in text
    assert 'href="gate-closed.md"' in text


@pytest.mark.parametrize(
    "path",
    [
        "/secret",
        "/data_docs/../secret",
        "/data_docs/%2e%2e/secret",
        "/data_docs/..%2fsecret",
        "/runbooks/../../README.md",
        "/data_docs/empty/",
        "/dbt/",
        "/nothing/",
        "//etc/passwd",
    ],
)
def test_nothing_else_is_served(port: int, path: str) -> None:
    status, text = get(port, path)
    assert status == 404
    assert "password" not in text
