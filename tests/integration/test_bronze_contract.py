"""Contracts out of the ERP's catalogue: what is kept by hand says the same, and is never lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lakehouse import bronze
from lakehouse.bronze import contract, contract_drafts
from lakehouse.errors import LakehouseError, RefusedError
from lakehouse.settings import Settings
from tests.integration.cdc_replay import WHOLE_ERP, embedded_server, execute, lake_on

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def erp() -> Iterator[Settings]:
    with embedded_server() as server, lake_on(server, WHOLE_ERP) as settings:
        yield settings


def test_every_kept_contract_is_what_the_catalogue_says(erp: Settings, tmp_path: Path) -> None:
    kept = {one.entity: one for one in bronze.contracts() if one.source == "erp"}
    drafts = contract_drafts.drafts(erp)
    assert {draft.entity for draft in drafts} == kept.keys()
    for draft in drafts:
        path = tmp_path / "erp" / f"{draft.entity}.yml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(draft.text, "utf8")
        drafted, own = contract.read(path), kept[draft.entity]
        assert drafted.key == own.key
        assert [(c.name, c.type, c.nullable) for c in drafted.columns] == [
            (c.name, c.type, c.nullable) for c in own.columns
        ], draft.entity


def test_every_type_of_a_catalogue_has_its_word(erp: Settings, tmp_path: Path) -> None:
    execute(
        erp,
        "create table things (id uuid primary key, a smallint, b varchar(40), c numeric(9, 3), "
        "d time, e timestamp, f real, g double precision, h bytea, i jsonb, j inet, k char(2))",
        "comment on table things is 'Things: with a colon. One row a thing.'",
    )
    try:
        [draft] = contract_drafts.drafts(erp, ["things"])
    finally:
        execute(erp, "drop table things")
    path = tmp_path / "erp" / "things.yml"
    path.parent.mkdir()
    path.write_text(draft.text, "utf8")
    drafted = contract.read(path)
    assert drafted.description == "Things: with a colon. One row a thing."
    assert [column.type for column in drafted.columns] == [
        "uuid",
        "smallint",
        "varchar(40)",
        "decimal(9,3)",
        "time",
        "timestamp",
        "real",
        "double",
        "bytes",
        "json",
        "text",
        "text",
    ]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("create table bad (id int primary key, n numeric)", "bad.n of the ERP is numeric without"),
        ("create table bad (id int)", "bad of the ERP has no primary key"),
    ],
)
def test_what_no_contract_can_say_is_named(erp: Settings, table: str, message: str) -> None:
    execute(erp, table)
    try:
        with pytest.raises(LakehouseError, match=message):
            contract_drafts.drafts(erp, ["bad"])
    finally:
        execute(erp, "drop table bad")


def test_an_unknown_table_is_an_error_with_the_nearest(erp: Settings) -> None:
    with pytest.raises(LakehouseError, match=r"no table 'supplers'.*did you mean 'suppliers'\?"):
        contract_drafts.drafts(erp, ["supplers"])


def test_a_contract_that_is_there_stays_unless_asked(
    erp: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contract, "FOLDER", tmp_path)
    drafts = contract_drafts.drafts(erp, ["items", "towers"])
    kept = tmp_path / "erp" / "items.yml"
    kept.parent.mkdir()
    kept.write_text("kept by hand")
    with pytest.raises(RefusedError, match="there are contracts already: items"):
        contract_drafts.write(drafts, replace=False)
    assert kept.read_text() == "kept by hand"
    assert not kept.with_name("towers.yml").exists()
    contract_drafts.write(drafts, replace=True)
    assert kept.read_text("utf8") == drafts[0].text
