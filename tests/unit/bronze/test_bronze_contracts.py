"""Contracts say what is wrong with them, and where; ours describe the ERP's tables."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pytest

from lakehouse import bronze, landing
from lakehouse.bronze.contract import read
from lakehouse.errors import LakehouseError

GOOD = """\
description: Parts in a box.
grain: One row per part.
delivers: rows
key: [box, part]
columns:
  - name: box
    type: text
    description: The box.
  - name: part
    type: bigint
    description: The part.
  - name: weight
    type: decimal(9,3)
    nullable: true
    description: Kilograms.
"""
TYPES = r"numeric\(\d+, \d+\)|text|bigint|integer|boolean|date|timestamptz"
WRONG = {
    "type: bigint": (
        "type: bigintt",
        r"line 10: columns\.1\.type: 'bigintt' is no type, did you mean 'bigint'\?",
    ),
    "decimal(9,3)": ("decimal", r"line 13: .*'decimal' is no type"),
    "(9,3)": ("(39,3)", r"line 13: .*1 to 38 digits"),
    "(9,": ("(2,", r"line 13: .*the scale no more than these"),
    "nullable": ("nulable", r"line 14: .*no such field, did you mean 'nullable'\?"),
    "true": ("perhaps", r"line 14: columns\.2\.nullable: .*boolean"),
    "grain: One row per part.\n": ("", r"grain: Field required"),
    "delivers: rows": ("delivers: row", r"line 3: delivers: .*'changes' or 'rows'"),
    "key: [box,": ("key: [boxx,", r"key column 'boxx' is no column, did you mean 'box'\?"),
    "[box, part]": ("[weight]", r"key column 'weight' may not be nullable"),
    "[box": ("[]", r"expected <block end>"),
    "name: part": ("name: box", r"columns named twice: box"),
    "name: box": ("name: _box", r"line 6: columns\.0\.name: .*pattern"),
    "description: Parts": ("source: erp\ndescription: Parts", r"line 1: source is told by"),
    GOOD: ("- a list\n", r"it is not a mapping"),
}


@pytest.mark.parametrize("right", WRONG)
def test_a_wrong_contract_names_file_line_and_field(tmp_path: Path, right: str) -> None:
    wrong, message = WRONG[right]
    path = tmp_path / "store" / "boxes.yml"
    path.parent.mkdir()
    path.write_text(GOOD)
    assert read(path).key == ("box", "part")
    path.write_text(GOOD.replace(right, wrong, 1))

    with pytest.raises(LakehouseError, match=f"store/boxes.yml is wrong: .*{message}") as error:
        read(path)

    assert str(path) in error.value.hint


def test_the_erp_s_contracts_are_its_tables() -> None:
    schema = Path(landing.__file__).parents[1].joinpath("erp", "schema.sql").read_text("utf8")
    found = {contract.entity: contract for contract in bronze.contracts() if contract.key}
    tables = re.findall(r"create table public\.(\w+) \((.*?)\n\);", schema, re.DOTALL)
    assert len(tables) == 13
    for name, body in tables:
        contract = found[name]
        columns = {
            column: (kind.replace("numeric", "decimal").replace(", ", ","), "not null" in rest)
            for column, kind, rest in re.findall(
                rf"^    (\w+) ((?:{TYPES}))(.*)$",
                body,
                re.MULTILINE,
            )
        }
        keys = {column for column in contract.key if "primary key" in body}
        assert {column.name: (column.type, not column.nullable) for column in contract.columns} == {
            column: (kind, required or column in keys)
            for column, (kind, required) in columns.items()
        }, name


def test_the_boundaries_contract_is_what_the_reader_lands() -> None:
    [contract] = [one for one in bronze.contracts() if one.source == "_cdc"]
    assert (contract.source, contract.entity) == landing.BOUNDARIES
    own = [pa.field(column.name, column.kind.stored) for column in contract.columns]
    assert own == list(landing.BOUNDARY_COLUMNS)
