"""The warehouse is a cache of bronze: drop it, build it again, and every mart hashes the same."""

from __future__ import annotations

from dataclasses import dataclass

from lakehouse import duck, engine
from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings
from lakehouse.transform import dbt_runner, models, ranges, steps


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild made, and how many marts were compared with those before it."""

    models: int
    marts: int
    compared: int
    as_of_date: str | None


def rebuild(settings: Settings, *, run_id: str) -> Rebuilt:
    """Build everything anew over the same batches; what differs from before is a failure.

    A file that is damaged, lost or half built has nothing to compare with: it is only replaced,
    over all that bronze holds now.
    """
    manifest = dbt_runner.parse(settings)
    former, before = _former(settings, models.fingerprint(manifest))
    engine.drop(settings)
    frozen = ranges.freeze(settings, dbt_runner.bronze_tables(manifest), again=former)
    built = steps.build_over(settings, manifest, frozen, run_id=run_id)
    after = mart_hashes(settings)
    differing = sorted(mart for mart in before if before[mart] != after.get(mart))
    if differing:
        # No refusal, after which all would be as it was.
        raise LakehouseError(
            f"{', '.join(differing)} differ after the rebuild from bronze: the increments had lost "
            "or kept something wrong; the warehouse now holds the rebuilt rows",
            hint="run `lakehouse run` to check and publish them, and report which mart differed",
        )
    return Rebuilt(built.models, len(after), len(before), built.as_of_date)


def mart_hashes(settings: Settings) -> dict[str, str]:
    """A hash of each mart's rows, whatever their order; technical columns do not count.

    It is the same on both engines, because DuckDB computes it of both, over the same types.
    """
    marts = engine.schema(settings, "marts")
    if settings.engine == "postgres":
        _refuse_what_duckdb_misreads(settings, marts)
    with engine.database(settings) as connection:
        columns: dict[str, list[str]] = {}
        for mart, column in connection.execute(
            "select table_name, column_name from duckdb_columns()"
            " where schema_name = ? order by table_name, column_name",
            [marts],
        ).fetchall():
            if not column.startswith("_"):
                columns.setdefault(mart, []).append(f'"{column}"')
        hashes = {}
        for mart, names in columns.items():
            row = connection.execute(
                f"select count(*), sum(cast(hash({', '.join(names)}) as hugeint))"
                f' from {marts}."{mart}"'
            ).fetchone()
            assert row is not None
            hashes[mart] = f"{row[0]}:{row[1]}"
    return hashes


def _refuse_what_duckdb_misreads(settings: Settings, marts: str) -> None:
    """DuckDB reads numeric without a scale as a double, and NaN in one as 0, without a word."""
    _, columns = engine.ask(
        settings,
        "select table_name::text, column_name::text, numeric_precision is null"
        " from information_schema.columns"
        f" where table_schema = '{marts}' and data_type = 'numeric' order by 1, 2",
    )
    inexact = [f"{mart}.{column} has no scale" for mart, column, is_free in columns if is_free]
    for mart, column, _ in columns:
        query = f'select 1 from {marts}."{mart}" where "{column}" = \'NaN\' limit 1'
        inexact += [f"{mart}.{column} holds NaN" for _ in engine.ask(settings, query)[1]]
    if inexact:
        raise LakehouseError(
            f"marts that cannot be compared: {', '.join(inexact)}",
            hint="mend the model: a mart's decimals have a precision and a scale, and no NaN",
        )


def _former(
    settings: Settings, fingerprint: str
) -> tuple[dict[str, ranges.Range] | None, dict[str, str]]:
    """What the present marts were built over, and their hashes, when they can be told.

    Marts of other models are not compared: they may differ.
    """
    if settings.engine == "duckdb" and not settings.duckdb_path.exists():
        return None, {}
    try:
        former = ranges.built(settings)
        is_same = former is not None and ranges.built_models(settings) == fingerprint
        return former, mart_hashes(settings) if is_same else {}
    except duck.WarehouseDamagedError:
        # That is what a rebuild is for. A file that another process holds is not.
        return None, {}
