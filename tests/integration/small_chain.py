"""A chain whose build is two made-up marts, so that its publish can be killed often.

`python -m tests.integration.small_chain DAY POINT` runs it and dies at a point of the publish.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from lakehouse import publish, settings
from lakehouse.orchestration import chain
from lakehouse.publish import gold
from lakehouse.settings import Settings
from tests.integration.gate import pass_the_gate
from tests.integration.processes import die_before
from tests.integration.test_gate_swap import build


def steps(day: int) -> Mapping[str, chain.StepFunction]:
    """The chain's steps on that day."""

    def nothing(_lake: Settings, _run_id: str) -> chain.Counts:
        return {}

    def built(lake: Settings, _run_id: str) -> chain.Counts:
        build(lake, day)
        return {}

    def checked(lake: Settings, run_id: str) -> chain.Counts:
        publish.stage(lake, run_id=run_id)
        pass_the_gate(lake)
        return {}

    done = {"dbt_run": built, "checkpoint": checked, "publish": chain.ALL_STEPS["publish"]}
    return dict.fromkeys(chain.STEPS, nothing) | done


POINTS = {
    "unswapped": (publish, "swap", 1),
    "swapped": (publish, "write_gold", 1),
    "half_of_gold": (gold, "_commit", 2),
}

if __name__ == "__main__":
    day, point = sys.argv[1:]
    die_before(*POINTS[point])
    chain.ALL_STEPS = steps(int(day))
    chain.run(settings.load())
