"""The vault macros go through real loads, cycle by cycle, over metadata that are not the ERP's.

Each part is a case, named by its key; a cycle delivers some rows, builds, and is looked at. The
project is in `vault_project`: the macros are a library, and this is how a stranger uses it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from tests.dbt.vault_loads import Loads, day, row

GHOST = "0" * 26
BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)
FIRST = [
    row("plain", 1, "a"),
    row("repeated", 1, "a"),
    row("doubled", 1, "a"),
    row("doubled", 1, "a"),
    row("several", 1, "a"),
    row("several", 2, "b"),
    row("several", 3, "c"),
    row("back", 1, "a"),
    row("late", 5, "e"),
    row("instant", 1, "a", committed_at=day(1)),
    row("instant", 2, "b", committed_at=day(1)),
    row("returned", 1, "a"),
    row(None, 1, "a part without a key"),
    row("", 1, "the key is empty, which is a key"),
    row("a|b", 1, "x", place_id="c"),
    row("a", 1, "y", place_id="b|c"),
    row("case", 1, "a"),
    row("CASE", 1, "a"),
    row(" case ", 1, "a"),
    row("nowhere", 1, "a", place_id=None),
    row("sold", 1, "b"),
    row("sold once", 1, "a"),
]
"""Cases of the shop's first load."""
SECOND = [
    row("repeated", 1, "a", extracted_at=day(101)),
    row("back", 2, "b"),
    row("back", 3, "a"),
    row("late", 4, "d"),
    row("late", 6, "f"),
    row("returned", 2, None, op="delete"),
    row("both", 1, "from the shop"),
    row("tie", 1, "b"),
    row("tie", 1, "a", extracted_at=day(99)),
    row("unsent", 1, "known"),
    row("sold", 2, "a", extracted_at=day(99)),
    row("sold once", 2, "b", extracted_at=day(101)),
    row("unsent", 2, None, unchanged_columns="|part_name|"),
]
"""The hard ones: what comes late, again, at once, or is gone."""


@pytest.fixture(scope="module")
def loads(tmp_path_factory: pytest.TempPathFactory) -> Loads:
    """Four cycles: nothing, a first load, the hard cases, and everything once more."""
    loads = Loads(tmp_path_factory.mktemp("vault") / "vault.duckdb")
    loads.cycle([])
    loads.cycle(FIRST, [row("both", 1, "from the depot"), row("depot only", 1, "d")])
    loads.cycle(SECOND, [row("both", 2, "the depot again")])
    loads.cycle([*FIRST, *SECOND, row("returned", 3, "a")])
    return loads


def test_an_empty_delivery_builds_empty_tables(tmp_path: Path) -> None:
    loads = Loads(tmp_path / "empty.duckdb")
    loads.cycle([])
    for table in ("hub_part", "link_part_place", "sat_part__shop", "nhl_sale", "pit_part"):
        assert loads.ask(f"select count(*) from {table}") == [(0,)]


def test_a_hub_has_each_key_once(loads: Loads) -> None:
    assert loads.ask("select count(*), count(distinct part_hk) from hub_part") == [(21, 21)]
    folded = loads.ask("select part_id from hub_part where trim(lower(part_id)) = 'case'")
    assert set(folded) == {("case",), ("CASE",), (" case ",)}
    # Known from two sources is known once; the first load and source stay.
    query = "select load_ts, record_source from hub_part where part_id = '{}'"
    assert loads.ask(query.format("both")) == [(day(202), "depot")]
    assert loads.ask(query.format("plain")) == [(day(202), "shop")]
    assert loads.ask("select part_hk from hub_part where part_id is null") == []
    assert loads.ask(query.format("")) == [(day(202), "shop")]


def test_a_link_has_each_pair_once_and_a_missing_end_is_none(loads: Loads) -> None:
    pairs = "from link_part_place inner join hub_part using (part_hk)"
    assert loads.ask(f"select count(*) {pairs} where part_id = 'back'") == [(1,)]
    assert loads.ask(f"select count(*) {pairs} where part_id = 'nowhere'") == [(0,)]
    # With a separator these two would have one hash.
    hashes = loads.ask(f"select part_place_hk {pairs} where part_id in ('a|b', 'a')")
    assert len({each for (each,) in hashes}) == 2


def test_an_optional_end_refers_to_the_ghost(loads: Loads) -> None:
    assert loads.ask(
        "select place_hk from link_part_any_place inner join hub_part using (part_hk)"
        " where part_id = 'nowhere'"
    ) == [("0" * 32,)]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("plain", [(1, "a")]),
        ("repeated", [(1, "a")]),
        ("doubled", [(1, "a")]),
        ("several", [(1, "a"), (2, "b"), (3, "c")]),
        ("back", [(1, "a"), (2, "b"), (3, "a")]),
        ("late", [(4, "d"), (5, "e"), (6, "f")]),
        ("instant", [(1, "a"), (2, "b")]),
        ("returned", [(1, "a"), (2, None), (3, "a")]),
        ("tie", [(1, "a"), (1, "b")]),
        ("both", [(1, "from the shop")]),
    ],
)
def test_a_satellite_has_each_delivered_change_once(
    loads: Loads, part: str, expected: list[tuple[int, str | None]]
) -> None:
    assert loads.rows_of(part) == expected


def test_two_sources_have_a_satellite_each(loads: Loads) -> None:
    assert loads.rows_of("both", "sat_part__depot") == [
        (1, "from the depot"),
        (2, "the depot again"),
    ]


def test_an_effectivity_satellite_says_when_the_relation_held(loads: Loads) -> None:
    assert loads.ask(
        "select cast(seq as bigint), is_effective from eff_sat_part_place"
        " inner join link_part_place using (part_place_hk) inner join hub_part using (part_hk)"
        " where part_id = 'returned' order by seq"
    ) == [(1, True), (2, False), (3, True)]


def test_an_event_is_kept_once_as_it_came_first(loads: Loads) -> None:
    query = """
        select part_name from nhl_sale inner join hub_part using (part_hk) where part_id = '{}'
    """
    # What is extracted first stays, in one batch or in several, else what has the smaller hash.
    assert loads.ask(query.format("sold")) == [("a",)]
    assert loads.ask(query.format("sold once")) == [("a",)]
    assert loads.ask(query.format("tie")) == [("a",)]
    assert loads.ask("select count(*), count(distinct part_place_hk) from nhl_sale") == [(19, 19)]


def test_a_point_in_time_finds_the_state_of_every_satellite(loads: Loads) -> None:
    query = """
        select effective_from, effective_to, sat_part__shop_seq, sat_part__depot_seq
        from pit_part inner join hub_part using (part_hk) where part_id = '{}' order by 1
    """
    one, two, three = (f"{position:026d}" for position in (1, 2, 3))
    assert loads.ask(query.format("both")) == [
        (BEGINNING, day(2), one, one),
        (day(2), None, one, two),
    ]
    assert loads.ask(query.format("depot only")) == [(BEGINNING, None, GHOST, one)]
    # Two changes of one instant are one state, the later one.
    assert loads.ask(query.format("instant")) == [(BEGINNING, None, two, GHOST)]
    assert loads.ask(query.format("back")) == [
        (BEGINNING, day(2), one, GHOST),
        (day(2), day(3), two, GHOST),
        (day(3), None, three, GHOST),
    ]


def test_the_current_view_has_what_the_source_has_now(loads: Loads) -> None:
    query = "select part_name from vw_parts_current where part_id = '{}'"
    assert loads.ask(query.format("returned")) == [("a",)]
    assert loads.ask(query.format("tie")) == [("a",)]
    assert loads.ask(query.format("unsent")) == [("known",)]
    assert loads.ask(query.format("depot only")) == []
    places = "select part_id, place_id from vw_part_places_current where part_id = 'a'"
    assert loads.ask(places) == [("a", "b|c")]


def test_shuffled_into_one_batch_it_is_the_same(loads: Loads, tmp_path: Path) -> None:
    other = Loads(tmp_path / "shuffled.duckdb")
    with duckdb.connect(str(other.path)) as connection:
        connection.execute(f"attach '{loads.path}' as cycles (read_only)")
        for table in ("shop", "depot"):
            connection.execute(
                f"insert into raw.{table} select * replace (1 as _batch_id)"
                f" from cycles.raw.{table} order by hash(seq, part_id, part_name)"
            )
    other.cycle([])
    for table, columns in {
        "hub_part": "part_hk, part_id",
        "link_part_place": "part_place_hk, part_hk, place_hk",
        "pit_part": "*",
        "nhl_sale": "part_place_hk, part_name, hashdiff, extracted_at",
        "vw_parts_current": "part_hk, part_id, part_name, effective_at, commit_lsn",
        "vw_part_places_current": "part_place_hk, part_id, place_id, effective_at",
    }.items():
        query = f"select {columns} from {table} order by all"
        assert other.ask(query) == loads.ask(query), table
