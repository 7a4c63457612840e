"""Facts that two places must know, because a layer or a language lies between them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from lakehouse.settings import PROJECT
from lakehouse.transform import holidays, ranges


@pytest.mark.parametrize(
    ("variable", "here"),
    [
        ("local_timezone", ranges.LOCAL_TIMEZONE),
        ("first_calendar_year", holidays.FIRST_YEAR),
    ],
)
def test_dbt_knows_the_same(variable: str, here: Any) -> None:
    project = yaml.safe_load((PROJECT / "dbt" / "dbt_project.yml").read_text("utf8"))
    assert project["vars"][variable] == here
