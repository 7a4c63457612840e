"""The warehouse is a cache of bronze: drop it, build it again, and every mart hashes the same."""

from __future__ import annotations

from dataclasses import dataclass

from lakehouse import duck
from lakehouse.errors import RefusedError
from lakehouse.settings import Settings
from lakehouse.transform import dbt_runner, ranges, steps


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild made, and how many marts were compared with those before it."""

    models: int
    marts: int
    compared: int
    as_of_date: str | None


def rebuild(settings: Settings, *, run_id: str) -> Rebuilt:
    """Build everything anew over the same batches; refuse what differs from before.

    A file that is damaged, lost or half built has nothing to compare with: it is only replaced,
    over all that bronze holds now.
    """
    manifest = dbt_runner.parse(settings)
    former, before = _former(settings)
    duck.drop(settings)
    frozen = ranges.freeze(settings, dbt_runner.bronze_tables(manifest), again=former)
    built = steps.build_over(settings, manifest, frozen, run_id=run_id)
    after = mart_hashes(settings)
    differing = sorted(mart for mart in before if before[mart] != after.get(mart))
    if differing:
        raise RefusedError(
            f"{', '.join(differing)} differ after the rebuild from bronze: the increments had lost "
            "or kept something wrong; the warehouse now holds the rebuilt rows",
            hint="run `lakehouse run` to check and publish them, and report which mart differed",
        )
    return Rebuilt(built.models, len(after), len(before), built.as_of_date)


def mart_hashes(settings: Settings) -> dict[str, str]:
    """A hash of each mart's rows, whatever their order; technical columns do not count."""
    with duck.warehouse(settings) as connection:
        columns: dict[str, list[str]] = {}
        for mart, column in connection.execute(
            "select table_name, column_name from information_schema.columns"
            " where table_schema = 'marts' order by table_name, column_name"
        ).fetchall():
            if not column.startswith("_"):
                columns.setdefault(mart, []).append(f'"{column}"')
        hashes = {}
        for mart, names in columns.items():
            row = connection.execute(
                f"select count(*), sum(cast(hash({', '.join(names)}) as hugeint)) from marts.{mart}"
            ).fetchone()
            assert row is not None
            hashes[mart] = f"{row[0]}:{row[1]}"
    return hashes


def _former(settings: Settings) -> tuple[dict[str, ranges.Range] | None, dict[str, str]]:
    """What the present marts were built over, and their hashes, when they can be told."""
    if not settings.duckdb_path.exists():
        return None, {}
    try:
        former = ranges.built(settings)
        return former, {} if former is None else mart_hashes(settings)
    except duck.WarehouseDamagedError:
        # That is what a rebuild is for. A file that another process holds is not.
        return None, {}
