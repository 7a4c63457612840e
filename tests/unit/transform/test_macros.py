"""A macro that is called wrongly stops the compilation and says which argument is wrong."""

from __future__ import annotations

from typing import Any, NoReturn

import jinja2
import pytest

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


def _render(call: str) -> str:
    files = sorted((PROJECT_FOLDER / "macros").rglob("*.sql"))
    macros = "\n".join(file.read_text("utf8") for file in files)
    environment = jinja2.Environment(extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined)
    dbt: Any = Dbt()
    template = environment.from_string(f"{macros}{{{{ {call} }}}}")
    return template.render(exceptions=dbt, dbt=dbt).strip()


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
        ("satellite('item_hk', [], {'where': 1})", "satellite: argument payload is missing"),
        ("change_history('k', 's', 'b', {}, ['a'])", "change_history: argument entity is missing"),
        ("change_history('k', 's', 'b', {'x': 1}, ['a'], ['z'])", "column z is not in the payload"),
        ("scd2_versions('h', 'k', [])", "scd2_versions: argument payload is missing"),
        ("dimension_as_of('d', none, ['k'])", "dimension_as_of: argument business_key is missing"),
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
