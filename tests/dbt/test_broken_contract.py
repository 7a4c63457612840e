"""A mart that does not keep its contract is not built, and the message says what is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lakehouse.errors import LakehouseError
from lakehouse.settings import PROJECT, Settings
from lakehouse.transform import dbt_runner, transform
from tests.dbt.written_bronze import start_anew


@pytest.mark.long
def test_a_broken_contract_names_the_mart_and_the_column(
    lake: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "dbt"
    shutil.copytree(PROJECT / "dbt", project, ignore=shutil.ignore_patterns("target", "logs"))
    model = project / "models" / "marts" / "shared" / "dim_contracts.sql"
    sound = model.read_text("utf8")
    broken = sound.replace("select * from final", "select *, 7 as surplus from final")
    assert broken != sound
    model.write_text(broken, "utf8")
    monkeypatch.setattr(dbt_runner, "PROJECT_FOLDER", project)
    start_anew(lake)
    with pytest.raises(LakehouseError) as refused:
        transform(lake, run_id="broken", select=["+dim_contracts"])
    assert "dbt model dim_contracts failed" in refused.value.what
    assert "enforced contract" in refused.value.what
    assert "surplus" in refused.value.what
