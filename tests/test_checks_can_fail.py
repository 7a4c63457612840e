"""Each kind of check, on something that is wrong, is red.

What is proven beside its kind is not repeated here: dbt tests in tests/dbt/test_models.py, each
expectation in tests/expectations, the policy of DAGs in tests/dags/test_policy.py, rebuild equality
in tests/dbt/test_increments.py, layers and the rules of the tree in tests/unit/test_repository.py.
"""

from __future__ import annotations

import shutil
import subprocess
from contextlib import nullcontext
from pathlib import Path

import pytest

from lakehouse import ops, transform
from lakehouse.settings import PROJECT, Settings
from lakehouse.transform import dbt_runner
from tests.dbt.written_bronze import start_anew

WRONG = "x = 'y'\ndef f(x): return x; print(x)\n"
LINTERS = {
    "ruff check": (["ruff", "check", "-"], WRONG),
    "ruff format": (["ruff", "format", "--check", "-"], WRONG),
    "mypy": (["mypy", "--no-incremental", "/dev/stdin"], WRONG),
    "sqlfluff": (["sqlfluff", "lint", "--stdin-filename", "dbt/models/x.sql", "-"], "SELECT A\n"),
}


@pytest.mark.parametrize("linter", LINTERS)
def test_a_linter_sees_what_is_wrong(linter: str) -> None:
    (program, *arguments), source = LINTERS[linter]
    done = subprocess.run(
        [str(PROJECT / ".venv" / "bin" / program), *arguments],
        cwd=PROJECT,
        input=source,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr


@pytest.mark.long
def test_a_dbt_unit_test_sees_a_broken_macro(
    lake: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "dbt"
    shutil.copytree(PROJECT / "dbt", project, ignore=shutil.ignore_patterns("target", "logs"))
    macro = project / "macros" / "history" / "scd2_versions.sql"
    sound = macro.read_text("utf8")
    broken = sound.replace("where not is_deleted", "where true")
    assert broken != sound
    macro.write_text(broken, "utf8")
    monkeypatch.setattr(dbt_runner, "PROJECT_FOLDER", project)
    monkeypatch.setattr(ops, "warehouse", nullcontext)
    monkeypatch.setattr(ops, "record", lambda *_: None)

    start_anew(lake)
    transform.dbt_run(lake, run_id="broken")
    unit_tests = ["test", "--select", "test_type:unit"]
    results = dbt_runner.execute(lake, dbt_runner.parse(lake), "unit tests", unit_tests)
    assert {result.status for result in results} >= {"fail"}
