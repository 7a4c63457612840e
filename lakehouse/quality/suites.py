"""Checkpoints and suites: YAML in Great Expectations' own shape, validated before anything runs.

Great Expectations itself logs an expectation that it cannot build and goes on without it, so that
a mistyped check would be no check.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from lakehouse.errors import RefusedError, one_line

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
    from great_expectations.expectations.expectation import Expectation

CHECKPOINT_KEYS = {"name", "validation_definitions"}
VALIDATION_KEYS = {"name", "data", "suite"}
DATA_KEYS = {"datasource", "asset", "batch_definition"}
SUITE_KEYS = {"name", "expectations"}
EXPECTATION_KEYS = {"type", "kwargs", "meta"}


@dataclass(frozen=True)
class Validation:
    """One suite for one table."""

    name: str
    datasource: str
    asset: str
    batch_definition: str
    suite: ExpectationSuite


@dataclass(frozen=True)
class Checkpoint:
    """What the gate asks of a set of tables."""

    name: str
    validations: tuple[Validation, ...]


def load(folder: Path, name: str) -> Checkpoint:
    """Read a checkpoint with its suites, or say which file is wrong and where."""
    path = folder / "checkpoints" / f"{name}.yml"
    content = _read(path, CHECKPOINT_KEYS)
    validations = content["validation_definitions"]
    if not isinstance(validations, list) or not validations:
        raise _broken(path, "validation_definitions has to be a list that is not empty")
    return Checkpoint(name, tuple(_validation(folder, path, entry) for entry in validations))


def _validation(folder: Path, path: Path, entry: Any) -> Validation:
    where = "a validation definition"
    _has_keys(path, where, entry, VALIDATION_KEYS)
    where = f"validation definition {entry['name']}"
    _has_keys(path, f"data of {where}", entry["data"], DATA_KEYS)
    names = entry["data"] | {"suite": entry["suite"]}
    for key, value in names.items():
        _has_keys(path, f"{key} of {where}", value, {"name"})
    suite = load_suite(folder / "suites" / f"{entry['suite']['name']}.yml")
    data = {key: entry["data"][key]["name"] for key in DATA_KEYS}
    return Validation(name=entry["name"], suite=suite, **data)


def load_suite(path: Path) -> ExpectationSuite:
    """Read one suite; each of its expectations is built, so that none is wrong unnoticed."""
    content = _read(path, SUITE_KEYS)
    entries = content["expectations"]
    if not isinstance(entries, list) or not entries:
        raise _broken(path, "expectations has to be a list that is not empty")
    for number, entry in enumerate(entries, 1):
        _has_why(path, number, entry)

    from great_expectations import ExpectationSuite

    expectations = [_expectation(path, number, entry) for number, entry in enumerate(entries, 1)]
    return ExpectationSuite(name=content["name"], expectations=expectations)


def _has_why(path: Path, number: int, entry: Any) -> None:
    _has_keys(path, f"expectation {number}", entry, EXPECTATION_KEYS)
    where = f"expectation {number} ({entry['type']})"
    _has_keys(path, f"meta of {where}", entry["meta"], {"why"})
    if not isinstance(entry["meta"]["why"], str) or not entry["meta"]["why"].strip():
        raise _broken(path, f"{where} does not say why it is there (meta.why)")


def _expectation(path: Path, number: int, entry: dict[str, Any]) -> Expectation:
    from great_expectations.exceptions.exceptions import GreatExpectationsError
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    try:
        return ExpectationConfiguration(**entry).to_domain_obj()
    except (GreatExpectationsError, ValueError, TypeError) as error:
        raise _broken(
            path, f"expectation {number} ({entry['type']}) is not valid: {one_line(error)}"
        ) from error


def _read(path: Path, keys: set[str]) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text("utf8"))
    except OSError as error:
        raise _broken(path, f"it cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _broken(path, f"it is not YAML: {one_line(error)}") from error
    _has_keys(path, "the file", content, keys)
    if content["name"] != path.stem:
        raise _broken(path, f"its name is {content['name']!r}, and has to be that of the file")
    return dict(content)


def _has_keys(path: Path, where: str, value: Any, keys: set[str]) -> None:
    if not isinstance(value, Mapping) or set(value) != keys:
        found = ", ".join(map(str, value)) if isinstance(value, Mapping) else repr(value)
        raise _broken(path, f"{where} has to have {', '.join(sorted(keys))}; it has {found}")


def _broken(path: Path, what: str) -> RefusedError:
    place = f"{path.parent.name}/{path.name}"
    return RefusedError(
        f"expectations/{place} is wrong, so nothing can be checked: {what}",
        hint="mend the file, then run `lakehouse gate`; the marts published before stay served",
    )
