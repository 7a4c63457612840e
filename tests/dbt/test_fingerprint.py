"""What of the project decides that the models are others, and what does not."""

from __future__ import annotations

from copy import deepcopy

import pytest

from lakehouse.errors import SettingsError
from lakehouse.settings import Settings
from lakehouse.transform import dbt_runner, models, transform
from tests.dbt.written_bronze import start_anew

ITEMS = "model.nova_corrente.dim_items"


def test_a_fingerprint_is_of_what_makes_rows(models_lake: Settings) -> None:
    manifest = dbt_runner.parse(models_lake)
    before = models.fingerprint(manifest)
    assert models.fingerprint(dbt_runner.parse(models_lake)) == before

    other = deepcopy(manifest)
    other.nodes[ITEMS].description = "Other words."
    assert models.fingerprint(other) == before
    other.macros["macro.nova_corrente.hub"].macro_sql += " "
    assert models.fingerprint(other) != before

    other = deepcopy(manifest)
    other.nodes[ITEMS].checksum.checksum = "other SQL"
    assert models.fingerprint(other) != before

    other = deepcopy(manifest)
    other.nodes[ITEMS].columns["unit"].data_type = "integer"
    assert models.fingerprint(other) != before

    other = deepcopy(manifest)
    other.nodes[ITEMS].config.materialized = "view"
    assert models.fingerprint(other) != before


def test_a_selector_of_nothing_is_wrong_usage(models_lake: Settings) -> None:
    start_anew(models_lake)
    with pytest.raises(SettingsError, match="nothing to do for dbt build: .*no_such_model"):
        transform(models_lake, run_id="none", select=["no_such_model"])
