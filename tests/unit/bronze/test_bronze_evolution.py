"""A table grows where nothing is lost by it, and says so; where something would be, it stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from lakehouse import bronze, duck
from lakehouse.bronze import evolution, loading
from lakehouse.bronze.contract import Column, Contract
from lakehouse.errors import LakehouseError, RefusedError
from lakehouse.settings import Settings
from tests.unit.bronze.landed import (
    MOVEMENTS,
    batches,
    in_bronze,
    in_quarantine,
    movement,
    put,
    table,
)

UseContract = Callable[[Contract], None]
[MOVEMENT] = [one for one in bronze.contracts() if one.entity == "stock_movements"]
URI = "erp/stock_movements"


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> UseContract:
    """Put a contract in the place of all others."""

    def use(contract: Contract) -> None:
        monkeypatch.setattr(loading, "contracts", lambda: (contract,))

    return use


def retyped(name: str, kind: str) -> Contract:
    columns = [replace(c, type=kind) if c.name == name else c for c in MOVEMENT.columns]
    return replace(MOVEMENT, columns=tuple(columns))


def landed_as(name: str, kind: pa.DataType) -> pa.Schema:
    return MOVEMENTS.set(MOVEMENTS.get_field_index(name), pa.field(name, kind))


def by_duckdb(lake: Settings, column: str) -> list[Any]:
    """What another reader of the table sees of a column, in the order of the rows."""
    with duck.in_memory(lake) as connection:
        duck.load(connection, "delta")
        query = f"select {column} from delta_scan(?) order by _source_file, _source_row"
        found = connection.execute(query, [f"{lake.bronze_uri}/{URI}"]).fetchall()
    return [value for (value,) in found]


def test_a_new_column_is_added_and_told(lake: Settings, use: UseContract) -> None:
    put(lake, table([movement(1)]), "a")
    bronze.load(lake)
    wider = MOVEMENTS.append(pa.field("lot", pa.string()))
    put(lake, table([movement(2, lot="L7")], wider), "b")
    put(lake, table([movement(3)]), "c")

    loaded = bronze.load(lake)

    assert loaded.tables[URI].evolved == ("lot text",)
    assert (loaded.rows, loaded.quarantined_rows) == (2, 0)
    assert [row["lot"] for row in in_bronze(lake)] == [None, "L7", None]
    assert by_duckdb(lake, "lot") == [None, "L7", None]
    [told] = bronze.evolved(lake)
    assert told.table == URI
    assert "  - name: lot" in told.contract_lines
    lot = Column("lot", "text", "The lot.", nullable=True, optional=True)
    use(replace(MOVEMENT, columns=(*MOVEMENT.columns, lot)))
    put(lake, table([movement(4)]), "d")
    put(lake, table([movement(5, lot="L8")], wider), "e")
    assert bronze.load(lake).tables[URI].evolved == ()
    assert [row["lot"] for row in in_bronze(lake)] == [None, "L7", None, None, "L8"]


WIDER: dict[str, tuple[Contract, Any, pa.Schema, Any]] = {
    "integer to bigint": (
        retyped("stock_movement_id", "integer"),
        {"stock_movement_id": 1},
        MOVEMENTS,
        {"stock_movement_id": 2**40},
    ),
    "smallint to integer": (
        retyped("stock_movement_id", "smallint"),
        {"stock_movement_id": 1},
        landed_as("stock_movement_id", pa.int32()),
        {"stock_movement_id": 2**20},
    ),
    "wider decimal": (
        MOVEMENT,
        {"quantity": Decimal("-2.500")},
        landed_as("quantity", pa.decimal128(18, 4)),
        {"quantity": Decimal("99999999999999.0001")},
    ),
    "wider varchar": (
        retyped("note", "varchar(3)"),
        {"note": "Açã"},
        MOVEMENTS,
        {"note": "Ação"},
    ),
}
TOLD = {
    "integer to bigint": "stock_movement_id bigint",
    "smallint to integer": "stock_movement_id integer",
    "wider decimal": "quantity decimal(18,4)",
    "wider varchar": "note varchar(4)",
}


@pytest.mark.parametrize("case", WIDER)
def test_a_wider_type_keeps_every_value(lake: Settings, use: UseContract, case: str) -> None:
    contract, narrow, schema, wide = WIDER[case]
    use(contract)
    put(lake, table([movement(1) | narrow, movement(11) | narrow]), "a")
    bronze.load(lake)
    uri = bronze.table_uri(lake, "erp", "stock_movements")
    before = DeltaTable(uri)
    put(lake, table([movement(2) | narrow, movement(3) | wide], schema), "b")

    loaded = bronze.load(lake)

    [name] = narrow
    assert in_quarantine(lake) == []
    assert loaded.tables[URI].evolved == (TOLD[case],)
    expected = [narrow[name], narrow[name], narrow[name], wide[name]]
    assert [row[name] for row in in_bronze(lake)] == expected
    assert by_duckdb(lake, name) == expected
    assert batches(lake) == [1, 2]
    # The type as it was still fits when it comes late, and the past is as it was.
    put(lake, table([movement(4) | narrow]), "c")
    assert bronze.load(lake).rows == 1
    old = DeltaTable(uri, version=before.version()).to_pyarrow_table()
    assert old[name].to_pylist() == [narrow[name], narrow[name]]
    # A contract that says by now what the table has become is its contract.
    kind = TOLD[case].split()[1]
    use(
        replace(
            contract,
            columns=tuple(replace(c, type=kind) if c.name == name else c for c in contract.columns),
        )
    )
    put(lake, table([movement(5) | narrow]), "d")
    assert bronze.load(lake).rows == 1


LOSSY: dict[str, tuple[pa.Schema, Any]] = {
    "narrower integer": (landed_as("stock_movement_id", pa.int32()), {}),
    "narrower decimal": (landed_as("quantity", pa.decimal128(10, 3)), {}),
    "other decimal": (landed_as("quantity", pa.decimal128(14, 4)), {}),
    "text for integer": (landed_as("stock_movement_id", pa.string()), {"stock_movement_id": "1"}),
    "renamed": (
        landed_as("note", pa.string()).set(
            MOVEMENTS.get_field_index("note"), pa.field("remark", pa.string())
        ),
        {"remark": "x"},
    ),
    "new and nested": (MOVEMENTS.append(pa.field("lots", pa.list_(pa.string()))), {"lots": ["x"]}),
    "new with a name of its own": (MOVEMENTS.append(pa.field("Lot", pa.string())), {"Lot": "x"}),
}


@pytest.mark.parametrize("case", LOSSY)
def test_what_would_lose_something_changes_nothing(lake: Settings, case: str) -> None:
    put(lake, table([movement(1)]), "a")
    bronze.load(lake)
    uri = bronze.table_uri(lake, "erp", "stock_movements")
    schema = pa.schema(DeltaTable(uri).schema())
    put(lake, table([movement(2) | LOSSY[case][1]], LOSSY[case][0]), "b")

    loaded = bronze.load(lake)

    assert (loaded.rows, loaded.quarantined_rows) == (0, 1)
    assert loaded.tables[URI].evolved == ()
    assert pa.schema(DeltaTable(uri).schema()).equals(schema, check_metadata=True)
    assert len(in_bronze(lake)) == len(in_quarantine(lake)) == 1


def test_a_contract_that_became_wider_makes_its_table_so(lake: Settings, use: UseContract) -> None:
    use(retyped("stock_movement_id", "integer"))
    put(lake, table([movement(1)]), "a")
    bronze.load(lake)
    use(MOVEMENT)
    put(lake, table([movement(2**40)]), "b")
    assert bronze.load(lake).rows == 1
    assert [row["stock_movement_id"] for row in in_bronze(lake)] == [1, 2**40]


def test_a_contract_that_became_another_is_refused(lake: Settings, use: UseContract) -> None:
    bronze.load(lake)
    use(retyped("quantity", "date"))
    with pytest.raises(RefusedError, match=r"quantity is decimal\(14,3\), not date"):
        bronze.load(lake)


def test_of_two_that_widen_at_once_one_begins_anew(
    lake: Settings, use: UseContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(retyped("stock_movement_id", "integer"))
    put(lake, table([movement(1)]), "a")
    bronze.load(lake)
    put(lake, table([movement(2**40)]), "b")
    plain = evolution.evolve

    def raced(*given: Any) -> None:
        monkeypatch.setattr(evolution, "evolve", plain)
        bronze.load(lake)
        plain(*given)

    monkeypatch.setattr(evolution, "evolve", raced)
    put(lake, table([movement(2**41)]), "c")
    bronze.load(lake)

    assert [row["stock_movement_id"] for row in in_bronze(lake)] == [1, 2**40, 2**41]
    uri = bronze.table_uri(lake, "erp", "stock_movements")
    in_use = {Path(one).name for one in DeltaTable(uri).file_uris()}
    there = {path.name for path in Path(uri).glob("_load_date=*/*")}
    assert len(there) == len(in_use) + 1  # the narrow one, for time travel


def test_a_widening_that_dies_leaves_the_table_as_it_was(
    lake: Settings, use: UseContract, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(retyped("stock_movement_id", "integer"))
    put(lake, table([movement(1)]), "a")
    bronze.load(lake)
    put(lake, table([movement(2**40)]), "b")
    with monkeypatch.context() as patch:
        patch.setattr("os.link", _full)
        with pytest.raises(Exception, match="no space left"):
            bronze.load(lake)
    assert [row["stock_movement_id"] for row in in_bronze(lake)] == [1]
    bronze.load(lake)
    assert [row["stock_movement_id"] for row in in_bronze(lake)] == [1, 2**40]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(5, "no answer")])
def test_a_widening_that_is_interrupted_after_its_commit_keeps_every_row(
    lake: Settings, use: UseContract, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    use(retyped("stock_movement_id", "integer"))
    put(lake, table([movement(1)]), "a")
    bronze.load(lake)
    put(lake, table([movement(2**40)]), "b")

    def interrupted(_: Path) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(evolution, "sync_folder", interrupted)
        with pytest.raises((KeyboardInterrupt, LakehouseError)):
            bronze.load(lake)
    assert [row["stock_movement_id"] for row in in_bronze(lake)] == [1]
    bronze.load(lake)
    assert [row["stock_movement_id"] for row in in_bronze(lake)] == [1, 2**40]


def _full(*_: object) -> None:
    raise OSError(28, "no space left on device")
