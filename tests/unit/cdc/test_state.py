"""The reader's own memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.cdc import state
from lakehouse.cdc.state import TableState
from lakehouse.errors import LakehouseError
from lakehouse.settings import load


def test_state_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    lake = load({"LAKEHOUSE_HOME": str(tmp_path)})
    assert state.load(lake) is None
    tables = {"items": TableState("1/2", ((0, 1), (500, 3)), is_complete=True)}
    for lsn, position in ((None, 0), ("1/2A", (1 << 32) + 42), ("FFFFFFFF/FFFFFFFF", 2**64 - 1)):
        saved = state.save(lake, state.State("7300000000000000001", 1, lsn, tables, 3, 4))
        loaded = state.load(lake)
        assert loaded == saved
        assert loaded is not None
        assert (loaded.position, loaded.last_generation) == (position, 3)
        assert lsn is None or state.lsn_text(position) == lsn


def test_a_generation_is_known_as_long_as_a_change_can_belong_to_it() -> None:
    table = TableState("1/2", ((0, 1),), is_complete=True).renewed("1/2", 500, 2)
    assert table.generations == ((0, 1), (500, 2))
    assert not table.is_complete
    assert table.forgetting(499).generations == ((0, 1), (500, 2))
    assert table.forgetting(500).generations == ((500, 2),)
    assert table.renewed("1/2", 900, 3).forgetting(600).generations == ((500, 2), (900, 3))


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"tables": []}', '{"tables": {"a": 1}}'],
)
def test_a_damaged_state_names_the_file_and_the_way_on(tmp_path: Path, content: str) -> None:
    lake = load({"LAKEHOUSE_HOME": str(tmp_path)})
    state.path(lake).parent.mkdir()
    state.path(lake).write_text(content)
    with pytest.raises(LakehouseError, match="cannot be read") as error:
        state.load(lake)
    assert str(state.path(lake)) in error.value.what
    assert "lakehouse cdc resync" in error.value.hint
