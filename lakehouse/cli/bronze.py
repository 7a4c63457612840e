"""The commands of `lakehouse bronze`: load, prove, mend and maintain the Delta tables."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from lakehouse.cli import report
from lakehouse.cli.shell import Answer, answers
from lakehouse.cli.step import run_step
from lakehouse.errors import LakehouseError
from lakehouse.lock import lake_lock
from lakehouse.settings import Settings

if TYPE_CHECKING:
    from lakehouse.bronze.verify import Verified

# What reads or writes Delta is imported inside the commands: `lakehouse --help` needs none of it.


@click.group("bronze")
def bronze_group() -> None:
    """Landing into bronze Delta tables."""


@bronze_group.group()
def quarantine() -> None:
    """What bronze could not take, and why."""


@bronze_group.command("load")
@answers
def bronze_load(settings: Settings) -> Answer:
    """Load new landing files into bronze, each exactly once."""
    return run_step(settings, "bronze")


@bronze_group.command("contract")
@click.argument("tables", nargs=-1, metavar="[TABLE]...")
@click.option("--write", is_flag=True, help="Write the files of tables that have none yet.")
@click.option("--replace", is_flag=True, help="With --write: also over files kept by hand.")
@answers
def bronze_contract(
    settings: Settings, *, tables: tuple[str, ...], write: bool, replace: bool
) -> Answer:
    """Print a first contract for tables of the ERP, out of its catalogue."""
    from lakehouse.bronze import contract_drafts

    drafts = contract_drafts.drafts(settings, tables)
    if write:
        contract_drafts.write(drafts, replace=replace)
        paths = {draft.entity: str(draft.path) for draft in drafts}
        return Answer({"written": paths}, report.table(paths))
    texts = {draft.entity: draft.text for draft in drafts}
    return Answer({"contracts": texts}, "\n".join(f"# {n}.yml\n{t}" for n, t in texts.items()))


@bronze_group.command("verify")
@click.option("--landing-only", is_flag=True, help="Leave the ERP out.")
@answers
def bronze_verify(settings: Settings, *, landing_only: bool) -> Answer:
    """Prove that bronze holds every delivered row once, and what the ERP holds."""
    from lakehouse.bronze.verify import verify
    from lakehouse.orchestration import chain

    def catch_up() -> None:
        chain.run_step(settings, "extract")
        chain.run_step(settings, "bronze")

    proven = verify(settings, None if landing_only else catch_up)
    if proven.problems:
        raise LakehouseError(
            "bronze is not what was delivered:\n" + "\n".join(proven.problems),
            hint="see `When a table is damaged` in docs/lake.md",
        )
    return Answer(asdict(proven), _verified_text(proven))


@bronze_group.command("maintain")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@answers
def bronze_maintain(settings: Settings, *, dry_run: bool) -> Answer:
    """Gather small parts, shorten logs and remove what nobody needs, by policy."""
    from lakehouse.bronze.maintenance import maintain

    done = maintain(settings, dry_run=dry_run)
    lines = [
        f"{one.table:<24}{one.compacted_parts:>6,} parts into {one.into_parts:,} · "
        f"{one.removed_files:,} files and {one.removed_commits:,} commits removed"
        for one in done
    ]
    data = {"dry_run": dry_run, "tables": [asdict(one) for one in done]}
    return Answer(data, "\n".join(lines) or "There is no bronze yet.")


@quarantine.command("list")
@answers
def quarantine_list(settings: Settings) -> Answer:
    """Show what waits in quarantine, by file and reason."""
    from lakehouse.bronze.waiting import waiting

    found = waiting(settings)
    data = {
        "rows": sum(one.rows for one in found),
        "files": sum(one.rows == 0 for one in found),
        "waiting": [asdict(one) for one in found],
    }
    lines = [
        f"{one.table}  {f'{one.rows:,} rows' if one.rows else 'whole file'}  {one.source_file}\n"
        f"    {one.reason}" + (f"\n    {one.example}" if one.example else "")
        for one in found
    ]
    return Answer(data, "\n".join(lines) or "Nothing waits in quarantine.")


@quarantine.command("replay")
@answers
def quarantine_replay(settings: Settings) -> Answer:
    """Try again what waits, once a contract or the reader is mended."""
    from lakehouse.bronze import replay

    with lake_lock(settings, "lakehouse bronze quarantine replay"):
        data = asdict(replay.replay(settings))
    return Answer(data, report.line("replay", data))


def _verified_text(proven: Verified) -> str:
    """What was proven, a line a table."""
    equal = {one.table: one.erp_rows for one in proven.compared}
    lines = [f"{'':<24}{'in bronze':>12}{'refused':>9}{'waiting':>9}{'as in ERP':>12}"]
    for one in proven.conserved:
        erp = f"{equal[one.table]:,}" if one.table in equal else "-"
        refused = one.quarantined_rows + one.quarantined_files
        lines.append(
            f"{one.table:<24}{one.bronze_rows:>12,}{refused:>9,}{one.waiting_files:>9,}{erp:>12}"
        )
    return "\n".join(lines)
