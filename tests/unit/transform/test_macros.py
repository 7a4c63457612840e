"""A macro that is called wrongly stops the compilation and says which argument is wrong."""

from __future__ import annotations

from typing import Any, NoReturn

import jinja2
import pytest
from jinja2.runtime import Context

from lakehouse.transform.dbt_runner import PROJECT_FOLDER


class CompilationError(Exception):
    """Stands for dbt's own."""


class Dbt:
    """What the macros ask of dbt before they look at their arguments."""

    @staticmethod
    def raise_compiler_error(message: str) -> NoReturn:
        raise CompilationError(message)

    @staticmethod
    def type_string() -> str:
        return "text"


class Adapter:
    """Finds the branch of a macro that an engine takes, as dbt does."""

    def __init__(self, engine: str) -> None:
        self._engine = engine

    def dispatch(self, name: str) -> Any:
        @jinja2.pass_context
        def macro(context: Context, *arguments: Any) -> Any:
            own = context.get(f"{self._engine}__{name}")
            return (own or context[f"default__{name}"])(*arguments)

        return macro


def _render(call: str, engine: str = "duckdb") -> str:
    files = sorted((PROJECT_FOLDER / "macros").rglob("*.sql"))
    macros = "\n".join(file.read_text("utf8") for file in files)
    environment = jinja2.Environment(extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined)
    dbt: Any = Dbt()
    template = environment.from_string(f"{macros}{{{{ {call} }}}}")
    return template.render(
        exceptions=dbt,
        dbt=dbt,
        adapter=Adapter(engine),
        var=lambda name: name,
        env_var=lambda name: name,
        **{"return": lambda value: value},
    ).strip()


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        ("hash_of({})", "at least one expression"),
        ("hash_of(['item_id'])", "at least one expression"),
        ("hash_of({'x': 'double'})", "x has type 'double'"),
        ("text_of('x', 'numeric')", "x has type 'numeric'"),
        ("special_key('none')", "'none' is neither null nor not_applicable"),
        ("hub('item_hk', 'item_id', [])", "hub: argument sources is missing"),
        ("link('', ['item_hk'], [1])", "link: argument hash_key is missing"),
        ("link('k', ['a_hk'], [{}], ['b_hk'])", "b_hk is no foreign key"),
        ("non_historised_link('', ['a_hk'], ['b'], {'w': 1})", "argument hash_key is missing"),
        ("pit('k', 'hub', {})", "pit: argument histories is missing"),
        ("current_view('k', none, ['x'])", "current_view: argument history is missing"),
        ("satellite('item_hk', [], {'where': 1})", "satellite: argument payload is missing"),
        ("change_history('k', 's', 'b', {}, ['a'])", "change_history: argument entity is missing"),
        ("change_history('k', 's', 'b', {'x': 1}, ['a'], ['z'])", "column z is not in the payload"),
        ("scd2_versions('h', 'k', [])", "scd2_versions: argument payload is missing"),
        ("dimension_as_of('d', none, ['k'])", "dimension_as_of: argument business_key is missing"),
        ("integer_division('', 2)", "integer_division: argument numerator is missing"),
        ("mart_number(none)", "mart_number: argument expression is missing"),
        ("date_spine('a', '')", "date_spine: argument end_sql is missing"),
        ("days_between('', 'b')", "days_between: argument start_date is missing"),
        ("add_days('', 1)", "add_days: argument date is missing"),
        ("quantity_text('')", "quantity_text: argument quantity is missing"),
        ("taken_out('t', [])", "taken_out: argument keys is missing"),
        ("list_text('a', '', ',')", "list_text: argument order_by is missing"),
        (
            "special_members('k', 'n', 's', {})",
            "special_members: argument other_columns is missing",
        ),
    ],
)
def test_a_macro_called_wrongly_says_which_argument(call: str, complaint: str) -> None:
    with pytest.raises(CompilationError, match=complaint):
        _render(call)


def test_a_macro_called_rightly_is_rendered() -> None:
    assert _render("special_key('null')") == f"'{'0' * 32}'"
    assert _render("text_of('x', 'integer')") == "cast(x as text)"


SPARK = {
    "beginning_of_time()": "cast('1900-01-01 00:00:00+00:00' as timestamp)",
    "end_of_time()": "cast('9999-12-31 00:00:00+00:00' as timestamp)",
    "epoch_microseconds('t')": "unix_micros(t)",
    "local_date('t')": "cast(from_utc_timestamp(t, 'local_timezone') as date)",
    "end_of_local_date('d')": "to_utc_timestamp(cast(date_add(d, cast(1 as int)) "
    "as timestamp), 'local_timezone')",
    "double('x')": "cast(x as double)",
    "integer_division('n', 'd')": "cast((cast(n as decimal(38, 0)) - cast(n as decimal(38, 0)) % "
    "nullif(cast(d as decimal(38, 0)), 0)) / nullif(cast(d as decimal(38, 0)), 0) "
    "as decimal(38, 0))",
    "date_spine('a', 'b')": "select explode(sequence(first_date, last_date, interval 1 day)) "
    "as calendar_date from ( select cast(a as date) as first_date, cast(b as date) as last_date "
    ") as ends where first_date <= last_date",
    "days_between('a', 'b')": "datediff(b, a)",
    "add_days('a', 'n')": "date_add(a, cast(n as int))",
    "add_hours('t', 'n')": "timestampadd(hour, cast(n as int), t)",
    "list_text('w', 'o', ', ')": "array_join( transform( array_sort( collect_list( case when w is "
    "not null then struct(cast(o as string) as place, w as word) end ) ), entry -> entry.word ), "
    "', ' )",
    "byte_order('x')": "x",
    "join_sides(true)": "",
    "layer_schema('marts')": "marts",
    "source_relation({'schema': 'a', 'identifier': 'b'})": "delta.`LAKE_URI/bronze/a/b`",
}


@pytest.mark.parametrize("call", SPARK)
def test_a_macro_has_a_branch_for_spark(call: str) -> None:
    assert " ".join(_render(call, "spark").split()) == SPARK[call]


def test_every_macro_that_differs_by_engine_is_rendered_for_spark() -> None:
    rendered = {call.partition("(")[0] for call in SPARK}
    engine = PROJECT_FOLDER / "macros" / "engine"
    branches = {
        file.stem
        for file in engine.glob("*.sql")
        if f"dispatch('{file.stem}')" in file.read_text("utf8")
    }
    assert rendered == branches
    for name in branches:
        assert f"macro spark__{name}(" in (engine / f"{name}.sql").read_text("utf8")
