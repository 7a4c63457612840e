"""Run a checkpoint: every validation in turn, a failure told from an error, failing rows by key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lakehouse.errors import one_line
from lakehouse.progress import progress
from lakehouse.quality import drift, gx, keys
from lakehouse.quality.outcomes import (
    DRIFTED,
    ERROR,
    FAILED,
    NOT_APPLICABLE,
    PASSED,
    Outcome,
)
from lakehouse.quality.suites import PARAMETER, Checkpoint, Entry, Validation

LIMIT_S = 300.0
"""A table whose checks give no answer for so long is an error, and so is all that would follow."""
FIRST = "nothing: no published run has this figure"


@dataclass(frozen=True)
class Compared:
    """What today's figures are held against."""

    published: Mapping[drift.Figure, list[float]] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Values that a suite asks for by `$PARAMETER`."""


@dataclass(frozen=True)
class Place:
    """Where the tables of a checkpoint are, for Great Expectations and for our own queries."""

    context: gx.Context
    batches: gx.Batches
    table: str
    """How our own query names a table, `{}` being its asset."""
    ask: keys.Ask
    close: Callable[[], None] = lambda: None


def run(checkpoint: Checkpoint, place: Place, compared: Compared) -> list[Outcome]:
    """Check every table of the checkpoint; whatever cannot be checked is an error, not a pass."""
    outcomes: list[Outcome] = []
    hung = ""
    total = sum(len(validation.suite.entries) for validation in checkpoint.validations)
    with progress("checking expectations", total) as advance:
        for validation in checkpoint.validations:
            if hung:
                outcomes.append(_error(validation, f"not looked at, for {hung} hung"))
                continue
            try:
                outcomes += gx.within(LIMIT_S, lambda v=validation: _check(v, place, compared))  # type: ignore[misc]
            except gx.HungError as error:
                hung = validation.asset
                outcomes.append(_error(validation, str(error)))
            except Exception as error:
                # Whatever goes wrong in there, the gate stays closed and the reason is recorded.
                outcomes.append(_error(validation, gx.without_sql(str(error)) or repr(error)))
            advance(len(validation.suite.entries))
    place.close()
    return outcomes


def _error(validation: Validation, why: str) -> Outcome:
    seen = {"exception": one_line(why)}
    return Outcome(validation.suite.name, "checkpoint", validation.asset, ERROR, seen)


def _check(validation: Validation, place: Place, compared: Compared) -> list[Outcome]:
    suite, asset = validation.suite, validation.asset
    entries = tuple(
        _asked(entry, suite.name, entry.subject(asset), compared) for entry in suite.entries
    )
    asked = replace(suite, entries=entries)
    found = gx.validate(place.context, place.batches, asset, asked)
    return [
        _outcome(validation, entry, status, seen, place, compared)
        for entry, (status, seen) in zip(entries, found, strict=True)
    ]


def _asked(entry: Entry, suite: str, subject: str, compared: Compared) -> Entry:
    """The expectation with the bounds of today in it."""
    kwargs = {
        name: compared.parameters[value[PARAMETER]]
        if isinstance(value, Mapping) and set(value) == {PARAMETER}
        else value
        for name, value in entry.kwargs.items()
    }
    history = compared.published.get((suite, entry.type, subject), [])
    if entry.drift is not None and history:
        low, high = drift.band(entry.drift, history)
        kwargs |= {"min_value": low, "max_value": high}
    return replace(entry, kwargs=kwargs)


def _outcome(
    validation: Validation,
    entry: Entry,
    status: str,
    seen: dict[str, Any],
    place: Place,
    compared: Compared,
) -> Outcome:
    suite, subject = validation.suite, entry.subject(validation.asset)
    history = compared.published.get((suite.name, entry.type, subject), [])
    if status == FAILED:
        table = place.table.format(validation.asset)
        if _is_too_little(entry, history, seen, table, place.ask):
            status, seen = NOT_APPLICABLE, seen | {"nothing yet": entry.of_nothing or FIRST}
        elif entry.drift is not None:
            status = DRIFTED
        else:
            seen |= keys.failing(suite, entry, table, place.ask)
            if seen.get("failing") == seen.get("unexpected", seen.get("observed")):
                seen.pop("failing", None)
    if entry.drift is not None and status in (PASSED, DRIFTED):
        seen |= _held_against(entry, history)
    return Outcome(suite.name, entry.type, subject, status, seen, dict(entry.kwargs), entry.why)


def _is_too_little(
    entry: Entry, history: list[float], seen: dict[str, Any], table: str, ask: keys.Ask
) -> bool:
    """Whether there are so few values that what they say means nothing yet, and may be so."""
    if entry.drift is None and entry.of_nothing is None:
        return False
    if "observed" in seen and seen["observed"] is None:
        return not history  # a figure that was there, and is not any more, is a drift
    return entry.at_least > 1 and keys.values(entry, table, ask) < entry.at_least


def _held_against(entry: Entry, history: list[float]) -> dict[str, Any]:
    """Against what a drift was measured; the first run has nothing, and says so."""
    if not history:
        return {"compared with": FIRST}
    return {
        "allowed": f"{entry.kwargs['min_value']:g} to {entry.kwargs['max_value']:g}",
        "compared with": f"{len(history)} published runs",
    }
