"""The reader's own memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.cdc import state
from lakehouse.errors import LakehouseError
from lakehouse.settings import load


def test_state_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    lake = load({"LAKEHOUSE_HOME": str(tmp_path)})
    assert state.load(lake) is None
    for lsn, position in ((None, 0), ("1/2A", (1 << 32) + 42), ("FFFFFFFF/FFFFFFFF", 2**64 - 1)):
        known = state.State("7300000000000000001", 1, 2, ("items", "towers"), lsn)
        state.save(lake, known)
        loaded = state.load(lake)
        assert loaded == known
        assert loaded is not None
        assert loaded.position == position
        assert lsn is None or state.lsn_text(position) == lsn


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"tables": []}', '{"tables": 1}'],
)
def test_a_damaged_state_names_the_file_and_the_way_on(tmp_path: Path, content: str) -> None:
    lake = load({"LAKEHOUSE_HOME": str(tmp_path)})
    state.path(lake).parent.mkdir()
    state.path(lake).write_text(content)
    with pytest.raises(LakehouseError, match="cannot be read") as error:
        state.load(lake)
    assert str(state.path(lake)) in error.value.what
    assert "lakehouse cdc sync" in error.value.hint
