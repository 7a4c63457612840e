"""Checkpoints and suites: YAML in Great Expectations' own shape, validated before anything runs.

Great Expectations itself logs an expectation that it cannot build and goes on without it, so that
a mistyped check would be no check.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lakehouse.errors import RefusedError, one_line

CHECKPOINT_KEYS = {"name", "validation_definitions"}
VALIDATION_KEYS = {"name", "data", "suite"}
DATA_KEYS = {"datasource", "asset", "batch_definition"}
SUITE_KEYS = {"name", "expectations"}
SUITE_META_KEYS = {"key", "sample_rows"}
EXPECTATION_KEYS = {"type", "kwargs", "meta"}
META_KEYS = {"why", "drift", "of_nothing", "at_least"}
DRIFT_KEYS = {"below", "above", "slack"}
ROW_COUNT = "expect_table_row_count_to_be_between"
PARAMETER = "$PARAMETER"
PARAMETERS = {"as_of_date", "fresh_from"}
"""What the gate knows of a run: its business date, and the oldest that it may have."""
NONE: Set[str] = frozenset()


@dataclass(frozen=True)
class Drift:
    """How far a figure may be from what was published: parts of it, or this much of its unit."""

    below: float
    above: float
    slack: float


@dataclass(frozen=True)
class Entry:
    """One expectation as its suite asks it, and why."""

    type: str
    kwargs: Mapping[str, Any]
    why: str
    drift: Drift | None = None
    of_nothing: str | None = None
    """Why it is right that there may be no value to look at yet."""
    at_least: int = 1
    """Of fewer values than these nothing is said: it is as if there were none."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it speaks of."""
        named = (self.kwargs.get(name) for name in ("column", "column_A", "column_B"))
        return tuple(filter(None, named)) or tuple(self.kwargs.get("column_list", ()))

    def subject(self, asset: str) -> str:
        """What it speaks of, as the on-call reads it."""
        named = f"{asset}.{', '.join(self.columns)}" if self.columns else asset
        only = self.kwargs.get("row_condition")
        among = f" where {_told(only)}" if isinstance(only, Mapping) else ""
        return f"{named}{among}{' (drift)' if self.drift else ''}"


def _told(condition: Mapping[str, Any]) -> str:
    """A row condition in words."""
    column = condition["column"]["name"]
    if condition["type"] == "nullity":
        return f"{column} is {'' if condition['is_null'] else 'not '}null"
    return f"{column} {condition['operator']} {condition['parameter']}"


@dataclass(frozen=True)
class Suite:
    """What is asked of one table."""

    name: str
    entries: tuple[Entry, ...]
    key: tuple[str, ...] = ()
    """The columns that name a row for a person."""
    sample_rows: int | None = None
    """Look at no more rows than these; None is all of them."""


@dataclass(frozen=True)
class Validation:
    """One suite for one table."""

    name: str
    datasource: str
    asset: str
    batch_definition: str
    suite: Suite


@dataclass(frozen=True)
class Checkpoint:
    """What is asked of a set of tables."""

    name: str
    validations: tuple[Validation, ...]


@dataclass(frozen=True)
class _File:
    """A file while it is read, so that whatever is wrong in it is told with its name."""

    path: Path
    folder: Path
    content: Mapping[str, Any] = field(default_factory=dict)

    def broken(self, what: str) -> RefusedError:
        return RefusedError(
            f"expectations/{self.path.relative_to(self.folder)} is wrong, so nothing can be"
            f" checked: {what}",
            hint="mend the file, then run the same command again; the marts published before stay"
            " served",
        )

    def has_keys(self, where: str, value: Any, keys: Set[str], optional: Set[str] = NONE) -> None:
        """Whether a mapping has these keys, and no others than the optional ones."""
        if not isinstance(value, Mapping) or not keys <= set(value) <= keys | optional:
            found = ", ".join(map(str, value)) if isinstance(value, Mapping) else repr(value)
            may = f" (and may have {', '.join(sorted(optional))})" if optional else ""
            raise self.broken(f"{where} has to have {', '.join(sorted(keys))}{may}; it has {found}")


def load(folder: Path, name: str) -> Checkpoint:
    """Read a checkpoint with its suites, or say which file is wrong and where."""
    file = _read(folder, folder / "checkpoints" / f"{name}.yml", CHECKPOINT_KEYS)
    validations = file.content["validation_definitions"]
    if not isinstance(validations, list) or not validations:
        raise file.broken("validation_definitions has to be a list that is not empty")
    return Checkpoint(name, tuple(_validation(file, entry) for entry in validations))


def _validation(file: _File, entry: Any) -> Validation:
    where = "a validation definition"
    file.has_keys(where, entry, VALIDATION_KEYS)
    where = f"validation definition {entry['name']}"
    file.has_keys(f"data of {where}", entry["data"], DATA_KEYS)
    names = entry["data"] | {"suite": entry["suite"]}
    for key, value in names.items():
        file.has_keys(f"{key} of {where}", value, {"name"})
    suite = load_suite(file.folder, entry["suite"]["name"])
    data = {key: entry["data"][key]["name"] for key in DATA_KEYS}
    return Validation(name=entry["name"], suite=suite, **data)


def load_suite(folder: Path, name: str) -> Suite:
    """Read one suite; each of its expectations is built, so that none is wrong unnoticed."""
    file = _read(folder, folder / "suites" / f"{name}.yml", SUITE_KEYS, {"meta"})
    asked = file.content["expectations"]
    if not isinstance(asked, list) or not asked:
        raise file.broken("expectations has to be a list that is not empty")
    meta = file.content.get("meta", {})
    file.has_keys("meta of the suite", meta, set(), SUITE_META_KEYS)
    entries = tuple(_entry(file, number, entry) for number, entry in enumerate(asked, 1))
    _has_one_drift_a_figure(file, entries)
    for number, entry in enumerate(entries, 1):
        _can_be_built(file, number, entry)
    key = meta.get("key", [])
    if not isinstance(key, list) or not all(isinstance(column, str) for column in key):
        raise file.broken("meta.key of the suite has to be a list of columns")
    sample = meta.get("sample_rows")
    for number, entry in enumerate(entries, 1):
        most = entry.kwargs.get("max_value")
        if sample is not None and entry.type == ROW_COUNT and (most is None or most >= sample):
            raise file.broken(f"expectation {number} cannot fail: no more than {sample} are seen")
    return Suite(name, entries, tuple(key), sample)


def _entry(file: _File, number: int, entry: Any) -> Entry:
    file.has_keys(f"expectation {number}", entry, EXPECTATION_KEYS)
    where = f"expectation {number} ({entry['type']})"
    meta = entry["meta"]
    file.has_keys(f"meta of {where}", meta, {"why"}, META_KEYS - {"why"})
    for name in ("why", "of_nothing"):
        if name in meta and not (isinstance(meta[name], str) and meta[name].strip()):
            raise file.broken(f"{where} has an empty meta.{name}: it has to say why")
    for value in entry["kwargs"].values() if isinstance(entry["kwargs"], Mapping) else ():
        if isinstance(value, Mapping) and PARAMETER in value and value[PARAMETER] not in PARAMETERS:
            raise file.broken(f"{where}: {value[PARAMETER]!r} is none of {sorted(PARAMETERS)}")
    only = entry["kwargs"].get("row_condition") if isinstance(entry["kwargs"], Mapping) else None
    if only is not None and (
        not isinstance(only, Mapping) or only.get("type") not in ("comparison", "nullity")
    ):
        raise file.broken(f"{where}: row_condition has to be one comparison or nullity")
    return Entry(
        type=entry["type"],
        kwargs=entry["kwargs"],
        why=one_line(meta["why"]),
        drift=_drift(file, where, entry) if "drift" in meta else None,
        of_nothing=meta.get("of_nothing"),
        at_least=_at_least(file, where, meta),
    )


def _at_least(file: _File, where: str, meta: Mapping[str, Any]) -> int:
    asked = meta.get("at_least", 1)
    if isinstance(asked, bool) or not isinstance(asked, int) or asked < 1:
        raise file.broken(f"meta.at_least of {where} has to be a number from 1 on")
    if "at_least" in meta and "of_nothing" not in meta:
        raise file.broken(f"{where} has meta.at_least, but does not say why (meta.of_nothing)")
    return int(asked)


def _drift(file: _File, where: str, entry: Mapping[str, Any]) -> Drift:
    asked = entry["meta"]["drift"]
    file.has_keys(f"meta.drift of {where}", asked, DRIFT_KEYS)
    for name, value in asked.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise file.broken(f"meta.drift.{name} of {where} has to be a number from 0 on")
    for bound in ("min_value", "max_value"):
        if isinstance(entry["kwargs"], Mapping) and bound in entry["kwargs"]:
            raise file.broken(f"{where} drifts, so its {bound} comes from what was published")
    kind = str(entry["type"])
    if not kind.endswith("_to_be_between") or kind.startswith("expect_column_values_to"):
        raise file.broken(f"{where} is not one figure of the table, so it cannot drift")
    return Drift(**asked)


def _has_one_drift_a_figure(file: _File, entries: Sequence[Entry]) -> None:
    """Two of one figure would be looked up as one in what was published."""
    figures = [(entry.type, entry.columns) for entry in entries if entry.drift]
    for number, figure in enumerate(figures):
        if figure in figures[:number]:
            raise file.broken(f"{figure[0]} of {', '.join(figure[1]) or 'the table'} drifts twice")


def _can_be_built(file: _File, number: int, entry: Entry) -> None:
    from great_expectations.exceptions.exceptions import GreatExpectationsError

    from lakehouse.quality.gx import built

    try:
        built(entry.type, entry.kwargs, number)
    except (GreatExpectationsError, ValueError, TypeError) as error:
        raise file.broken(
            f"expectation {number} ({entry.type}) is not valid: {one_line(error)}"
        ) from error


def _read(folder: Path, path: Path, keys: Set[str], optional: Set[str] = NONE) -> _File:
    file = _File(path, folder)
    try:
        content = yaml.safe_load(path.read_text("utf8"))
    except OSError as error:
        raise file.broken(f"it cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise file.broken(f"it is not YAML: {one_line(error)}") from error
    file.has_keys("the file", content, keys, optional)
    # A suite is named by its path: two of one name in two folders would be taken for each other.
    name = "/".join(path.with_suffix("").relative_to(folder).parts[1:])
    if content["name"] != name:
        raise file.broken(f"its name is {content['name']!r}, and has to be that of the file")
    return _File(path, folder, content)
