"""`python -m bench [SUITE…]`: measure, print the table, and keep it in docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from bench import airflow, cdc, gate, lake, models, publish
from bench.measuring import PEERS, Result
from lakehouse.settings import PROJECT

SUITES = {
    "lake": lake.results,
    "cdc": cdc.results,
    "models": models.results,
    "gate": gate.results,
    "airflow": airflow.results,
    "publish": publish.results,
}
PAGE = PROJECT / "docs" / "benchmarks.md"
HEADER = "| what | against | ours | peer | ratio | reach | reached |\n|---|---|---|---|---|---|---|"


def main(names: list[str]) -> int:
    """Measure the named suites, or all."""
    unknown = sorted(set(names) - set(SUITES))
    if unknown:
        sys.stderr.write(f"no such suite: {', '.join(unknown)}; there are {', '.join(SUITES)}\n")
        return 2
    if not PEERS.exists():
        sys.stderr.write("the peers are not installed: run `make bench`, which does that first\n")
        return 1
    for name in names or list(SUITES):
        lines = []
        for result in SUITES[name]():
            lines.append(line(result))
            sys.stderr.write(f"{lines[-1]}\n")
        _keep(name, lines)
    sys.stdout.write(f"kept in {PAGE.relative_to(PROJECT)}\n")
    return 0


def line(result: Result) -> str:
    """One line of the table."""
    ratio = "" if result.ratio is None else f"{result.ratio:.2f} ×"
    reached = "" if not result.reach else "yes" if result.is_met else "**no**"
    cells = (result.what, result.against, result.ours, result.theirs, ratio, result.reach, reached)
    return f"| {' | '.join(cells)} |"


def _keep(suite: str, lines: Iterable[str]) -> None:
    """Replace the suite's part of the page, between its two marks."""
    begin, end = f"<!-- {suite} -->\n", f"<!-- /{suite} -->"
    before, _, rest = PAGE.read_text("utf8").partition(begin)
    _, _, after = rest.partition(end)
    table = "\n".join([HEADER, *lines])
    PAGE.write_text(f"{before}{begin}{_machine()}\n\n{table}\n{end}{after}", "utf8")


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, "
        f"Python {platform.python_version()}"
    )


def _processor() -> str:
    for row in Path("/proc/cpuinfo").read_text("utf8").splitlines():
        if row.startswith("model name"):
            return row.partition(":")[2].strip()
    return platform.machine()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
