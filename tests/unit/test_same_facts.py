"""Facts that two places must know, because a layer or a language lies between them."""

from __future__ import annotations

import yaml

from lakehouse import bronze
from lakehouse.cdc import checks
from lakehouse.settings import PROJECT
from lakehouse.transform import ranges


def test_the_reader_demands_every_table_of_the_erp_that_bronze_has_a_contract_for() -> None:
    contracted = {each.entity for each in bronze.contracts() if each.source == "erp"}
    assert set(checks.NEEDED) == contracted


def test_dbt_and_the_frozen_range_tell_dates_in_the_same_timezone() -> None:
    project = yaml.safe_load((PROJECT / "dbt" / "dbt_project.yml").read_text("utf8"))
    assert project["vars"]["local_timezone"] == ranges.LOCAL_TIMEZONE
