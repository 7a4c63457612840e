"""What an expectation found: passed, failed, or could not be looked at, each told apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

PASSED = "passed"
FAILED = "failed"
DRIFTED = "drifted"
"""Far from what was published before: a person may accept it, with a reason."""
ACCEPTED = "accepted"
NOT_APPLICABLE = "not applicable"
"""There is nothing yet to look at, and the suite says why that is right."""
ERROR = "error"
"""The check could not be made."""
OPEN = frozenset({PASSED, ACCEPTED, NOT_APPLICABLE})
"""These keep no gate closed."""

ENDED = {FAILED: "failed", DRIFTED: "drifted", ERROR: "could not be checked"}
TOLD_LENGTH = 300


@dataclass(frozen=True)
class Outcome:
    """What became of one expectation."""

    suite: str
    expectation: str
    subject: str
    status: str
    observed: dict[str, Any]
    asked: dict[str, Any] = field(default_factory=dict)
    why: str = ""

    @property
    def is_wrong(self) -> bool:
        """Whether it closes the gate."""
        return self.status not in OPEN

    @property
    def sentence(self) -> str:
        """The outcome as the on-call reads it."""
        seen = ", ".join(f"{name} {_told(value)}" for name, value in self.observed.items())
        ended = ENDED.get(self.status, self.status)
        return f"{self.subject}: {self.expectation} {ended} ({seen})"


def _told(value: Any) -> str:
    if isinstance(value, list):
        text = "; ".join(_told(one) for one in value)
    elif isinstance(value, dict):
        text = ", ".join(f"{name}={one}" for name, one in value.items())
    else:
        text = str(value)
    return text if len(text) <= TOLD_LENGTH else f"{text[:TOLD_LENGTH]}…"
