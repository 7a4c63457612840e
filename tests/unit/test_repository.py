"""What must hold of the tree itself; each check is also shown something it has to refuse."""

from __future__ import annotations

import ast
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from pytest_socket import SocketBlockedError

from lakehouse.settings import PROJECT

MAX_FILE_BYTES = 400_000
MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 40

MACHINE_PATH = re.compile(r"(?<![\w.:/~$}-])/(?:home|root|Users|work|workspace)/[\w.]")
REGISTRY = re.compile(r"pypi\.(?:org|python)|pythonhosted\.org|--(?:extra-)?index-url|--find-links")
SETTING = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
MAKE_COMMAND = re.compile(r"(?:^|`)make ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)*)", re.MULTILINE)


@cache
def tree() -> list[Path]:
    """Every file that is or would be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [PROJECT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def texts() -> Iterator[tuple[str, str]]:
    for path in tree():
        if path.suffix != ".png":
            yield str(path.relative_to(PROJECT)), path.read_text("utf8")


def modules() -> Iterator[tuple[str, str]]:
    """The code that ships."""
    for name, text in texts():
        if name.startswith(("lakehouse/", "dags/")) and name.endswith(".py"):
            yield name, text


def too_long(source: str) -> list[str]:
    lines = len(source.splitlines())
    found = [f"{lines} lines"] if lines > MAX_MODULE_LINES else []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                found.append(f"{node.name}: {length} lines")
    return found


def environment_reads(source: str) -> list[str]:
    names = {"environ", "environb", "getenv", "putenv", "unsetenv"}
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "os":
            found += [f"os.{node.attr}"] if node.attr in names else []
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            found += [alias.name for alias in node.names if alias.name in names]
    return found


def settings_read(source: str) -> set[str]:
    values = {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)}
    return {value for value in values if isinstance(value, str) and SETTING.fullmatch(value)}


def settings_listed(example: str) -> set[str]:
    return set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", example, re.MULTILINE))


def make_targets(makefile: str) -> set[str]:
    return set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def named_targets(text: str) -> set[str]:
    return {target for names in MAKE_COMMAND.findall(text) for target in names.split()}


def test_no_file_is_big() -> None:
    locks = {PROJECT / "requirements.txt", *(PROJECT / "requirements").glob("*.txt")}
    big = [path for path in tree() if path.stat().st_size > MAX_FILE_BYTES]
    assert [path for path in big if path not in locks] == []
    assert big, "no lock is big: this check sees no file"


def test_modules_and_functions_are_short() -> None:
    assert {name: found for name, text in modules() if (found := too_long(text))} == {}


def test_a_long_function_is_seen() -> None:
    body = "    pass\n" * MAX_FUNCTION_LINES
    assert too_long(f"def long():\n{body}") == ["long: 41 lines"]


@pytest.mark.parametrize("pattern", [MACHINE_PATH, REGISTRY])
def test_nothing_names_this_machine_or_a_registry(pattern: re.Pattern[str]) -> None:
    hits = {
        f"{name}: {hit.group()}"
        for name, text in texts()
        if name != "tests/unit/test_repository.py"
        for hit in pattern.finditer(text)
    }
    assert hits == set()


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (MACHINE_PATH, "-r /home/ana/lake/requirements.in"),
        (MACHINE_PATH, '"/root/lake"'),
        (REGISTRY, "--index-url https://mirror.internal/simple"),
    ],
)
def test_a_machine_path_or_a_registry_is_seen(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)


def test_only_settings_reads_the_environment() -> None:
    readers = {name for name, text in modules() if environment_reads(text)}
    assert readers == {"lakehouse/settings.py"}


@pytest.mark.parametrize("source", ["import os\nos.getenv('A')", "from os import environ"])
def test_a_read_of_the_environment_is_seen(source: str) -> None:
    assert environment_reads(source)


def test_every_setting_is_in_the_example_and_no_other() -> None:
    read = settings_read((PROJECT / "lakehouse/settings.py").read_text("utf8"))
    assert "LAKEHOUSE_HOME" in read
    assert settings_listed((PROJECT / ".env.example").read_text("utf8")) == read


def test_every_make_target_that_is_named_exists() -> None:
    targets = make_targets((PROJECT / "Makefile").read_text("utf8"))
    spoken = {
        name: text
        for name, text in texts()
        if name.endswith(".md") or name.startswith(("lakehouse/", "dags/", ".ci/"))
    }
    unknown = {f"{name}: {t}" for name, text in spoken.items() for t in named_targets(text)}
    assert {entry for entry in unknown if entry.rpartition(": ")[2] not in targets} == set()


def test_a_make_target_is_seen_in_prose_and_in_code() -> None:
    assert named_targets("Run `make run`, then:\n\nmake test lint\n") == {"run", "test", "lint"}


def test_an_upward_import_breaks_the_layers(tmp_path: Path) -> None:
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    shutil.copytree(PROJECT / "lakehouse", tmp_path / "lakehouse")
    with (tmp_path / "lakehouse/settings.py").open("a", encoding="utf8") as file:
        file.write("\nimport lakehouse.cli\n")
    linter = str(Path(sys.executable).with_name("lint-imports"))
    done = subprocess.run([linter, "--no-cache"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "lakehouse.settings -> lakehouse.cli" in done.stdout


@pytest.mark.filterwarnings("ignore:A test tried to use socket")
def test_a_unit_test_has_no_network() -> None:
    with pytest.raises(SocketBlockedError):
        socket.socket()
