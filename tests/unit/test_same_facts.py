"""Facts that two places must know, because a layer or a language lies between them."""

from __future__ import annotations

import yaml

from lakehouse.settings import PROJECT
from lakehouse.transform import ranges


def test_dbt_and_the_frozen_range_tell_dates_in_the_same_timezone() -> None:
    project = yaml.safe_load((PROJECT / "dbt" / "dbt_project.yml").read_text("utf8"))
    assert project["vars"]["local_timezone"] == ranges.LOCAL_TIMEZONE
