"""What a run did: what changed, what was checked, what is served since when, where to look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from lakehouse.cli.answers import answers, answers_text
from lakehouse.cli.report import table
from lakehouse.cli.status import addresses, served_text
from lakehouse.settings import Settings

LOOK = (
    "`lakehouse status` says more of the lake; any SQL client on `warehouse`, schema marts",
    "`make ui` opens Airflow, the models and what was checked",
)


def summary(settings: Settings, run_id: str) -> dict[str, Any]:
    """What a run did, step by step, and what is served after it."""
    from lakehouse import publish
    from lakehouse.orchestration import chain

    steps = {row["step"]: row for row in chain.last_run(settings, run_id)}
    now = publish.served(settings)
    before = publish.published_before(settings)
    return {
        "run_id": run_id,
        **addresses(settings),
        "steps": {step: row["result"] for step, row in steps.items()},
        "status": {step: row["status"] for step, row in steps.items()},
        "served": asdict(now) if now else None,
        "before": asdict(before) if before else None,
        "answers": answers(settings) if now else {},
    }


def summary_text(data: Mapping[str, Any]) -> str:
    """The summary as a person reads it, the answers last."""
    lines = [
        "",
        table({"changed": _changed(data["steps"])}),
        table({"checked": _checked(data)}),
        *served_text(data["served"], data["before"]),
        *(table({"look" if n == 0 else "": hint}) for n, hint in enumerate(LOOK)),
        table({"warehouse": data["warehouse_dsn"]}),
        *answers_text(data["answers"]),
    ]
    return "\n".join(lines)


def _changed(steps: Mapping[str, Mapping[str, Any]]) -> str:
    counts: dict[str, Any] = {}
    for result in steps.values():
        counts |= result or {}
    told = [
        f"{counts.get('changes', 0):,} changes of the ERP in {counts.get('transactions', 0):,}"
        f" transactions, {counts.get('rows', 0):,} new rows in bronze"
    ]
    if counts.get("quarantined_rows") or counts.get("quarantined_files"):
        told.append(
            f"{counts['quarantined_rows']:,} rows and {counts['quarantined_files']:,} files refused"
            " (`lakehouse bronze quarantine list`)"
        )
    if "models" in counts:
        told.append(f"{counts['models']:,} models built")
    if "skipped" in counts:
        told.append(str(counts["skipped"]))
    return "; ".join(told)


def _checked(data: Mapping[str, Any]) -> str:
    steps, status = data["steps"], data["status"]
    if "skipped" in status.values():
        return "nothing, as nothing was built"
    told = []
    tested = steps.get("dbt_test") or {}
    if "tests" in tested:
        warned = f" ({tested['warnings']:,} warned)" if tested["warnings"] else ""
        told.append(f"{tested['tests']:,} dbt tests{warned}")
    if expectations := (steps.get("checkpoint") or {}).get("expectations"):
        told.append(f"{expectations:,} expectations before anything was served")
    return "; ".join(told) + ": all passed"
