"""The status of a lake: what it holds, how far the ERP was read, what is served, where to look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from psycopg2.extensions import make_dsn, parse_dsn

from lakehouse.cli.report import table
from lakehouse.erp import postgres
from lakehouse.errors import LakehouseError
from lakehouse.lock import holder
from lakehouse.settings import Settings

INDENT = " " * 24


def addresses(settings: Settings) -> dict[str, Any]:
    """Where the databases are; a password that a setting carries stays there."""
    return {
        "erp_dsn": _without_password(postgres.erp_dsn(settings)),
        "warehouse_dsn": _without_password(postgres.warehouse_dsn(settings)),
        "duckdb_path": str(settings.duckdb_path),
    }


def status(settings: Settings) -> dict[str, Any]:
    """What runs, what bronze holds, what is served, how the last run went."""
    from lakehouse import bronze, publish
    from lakehouse.orchestration import chain

    data: dict[str, Any] = {"home": str(settings.home), "lock": holder(settings)}
    if settings.needs_embedded_postgres and postgres.running(settings) is None:
        return data | {"running": False, "served": None, "last_run": []}
    served = publish.served(settings)
    return data | {
        "running": True,
        **addresses(settings),
        "bronze": [asdict(one) for one in bronze.holdings(settings)],
        "evolved": [asdict(one) for one in bronze.evolved(settings)],
        "quarantine": [asdict(one) for one in bronze.waiting(settings)],
        "cdc": _cdc(settings),
        "served": asdict(served) if served else None,
        "last_run": chain.last_run(settings),
    }


def status_text(data: Mapping[str, Any]) -> str:
    """The status as a few short lines."""
    if not data["running"]:
        return f"PostgreSQL is not running: `lakehouse up` starts it.\nlake       {data['home']}"
    lines = {"lake": data["home"], "warehouse": data["warehouse_dsn"]}
    if data["lock"]:
        lines["held by"] = data["lock"]
    text = [table(lines), *_bronze(data), *_change_log(data["cdc"]), *served_text(data["served"])]
    text.append(table({"look": "any SQL client on `warehouse`, schema marts; `make ui`"}))
    if data["last_run"]:
        states = " ".join(f"{row['step']}:{row['status']}" for row in data["last_run"])
        text.append(table({"last run": f"{data['last_run'][0]['run_id']}  {states}"}))
    return "\n".join(text)


def _bronze(data: Mapping[str, Any]) -> Iterator[str]:
    if not data["bronze"]:
        yield table({"bronze": "nothing yet: `lakehouse bronze load` makes its tables"})
        return
    yield f"{'bronze':<24}{'rows':>12}{'batches':>10}"
    for one in data["bronze"]:
        yield f"  {one['table']:<22}{one['rows']:>12,}{one['batches']:>10,}"
    for one in data["evolved"]:
        lines = "; ".join(one["contract_lines"])
        yield table({"evolved": f"{one['table']} has more than its contract says: {lines}"})
    rows = sum(one["rows"] for one in data["quarantine"])
    files = sum(one["rows"] == 0 for one in data["quarantine"])
    waits = f"{rows:,} rows and {files:,} whole files wait: `lakehouse bronze quarantine list`"
    yield table({"quarantine": waits if data["quarantine"] else "nothing waits"})


def _change_log(cdc: Mapping[str, Any]) -> Iterator[str]:
    if "error" in cdc:
        yield table({"change log": cdc["error"]})
        return
    if cdc["lag_bytes"] is None:
        yield table({"change log": "not read yet"})
        return
    kept, limit = cdc["retained_wal_bytes"] or 0, cdc["retained_wal_limit_bytes"]
    of = f" of at most {limit >> 20:,} MB" if limit else ", and nothing limits it"
    ago = f"{cdc['lag_seconds']:,.0f} s ago" if cdc["lag_seconds"] else "now"
    yield table({"change log": f"everything was here {ago}, up to {cdc['durable_lsn']}"})
    yield f"{INDENT}slot {cdc['slot']}, the ERP keeps {kept >> 20:,} MB of log for it{of}"
    if cdc["reader"]:
        yield f"{INDENT}read by {cdc['reader']}"
    if cdc["unfinished"]:
        yield f"{INDENT}without a whole snapshot: {', '.join(cdc['unfinished'])}"
    if cdc["warning"]:
        yield f"{INDENT}WARNING: {cdc['warning']}"


def served_text(
    served: Mapping[str, Any] | None, before: Mapping[str, Any] | None = None
) -> Iterator[str]:
    """What is served, since when and from which run, with each mart's rows and how many more."""
    if served is None:
        yield table({"served": "nothing yet: `lakehouse run --demo` makes a company and serves it"})
        return
    since = f"since {served['published_at']:%F %T %Z}"
    yield table({"served": f"as of {served['as_of_date']}, {since}, from {served['run_id']}"})
    if served["withdrawn_run"]:
        yield f"{INDENT}by a rollback from {served['withdrawn_run']}; `lakehouse publish` serves"
        yield f"{INDENT}those marts again, the next run its own"
    for mart, rows in sorted(served["marts"].items()):
        more = rows - before["marts"].get(mart, 0) if before else 0
        yield f"  {mart:<30}{rows:>12,} rows" + (f"{more:>+12,}" if more else "")


def _cdc(settings: Settings) -> dict[str, Any]:
    """The reader; a server that does not answer is part of the status, no failure of it."""
    from lakehouse import cdc

    try:
        return asdict(cdc.status(settings))
    except LakehouseError as error:
        return {"error": error.what}


def _without_password(dsn: str) -> str:
    parts = parse_dsn(dsn)
    return make_dsn(**parts) if parts.pop("password", None) else dsn
