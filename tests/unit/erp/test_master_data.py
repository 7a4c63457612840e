"""What the demo company may deal with."""

from __future__ import annotations

from collections import Counter

import pytest

from lakehouse.erp import master_data

REGION = {
    **dict.fromkeys(("SP", "RJ", "MG", "ES"), "SE"),
    **dict.fromkeys(("BA", "CE", "AL", "PB"), "NE"),
    **dict.fromkeys(("PR", "SC", "RS"), "S"),
    **dict.fromkeys(("AM", "PA", "TO"), "N"),
    **dict.fromkeys(("GO", "DF", "MT"), "CO"),
}


@pytest.mark.parametrize("scale", [0.1, 1, 30])
def test_no_two_sites_share_a_code_and_each_has_a_store(scale: float) -> None:
    depots = {depot.tower_id for depot in master_data.depots(scale)}
    sites = master_data.sites(1, scale)
    assert len({site.tower_id for site in sites} | depots) == len(sites) + len(depots)
    assert {site.served_by_tower_id for site in sites} <= depots
    assert len(sites) > master_data.sites_at_start(scale)


def test_sites_stand_in_the_regions_by_their_shares() -> None:
    found = Counter(REGION[site.state] for site in master_data.sites(1, 10))
    shares = {region: round(100 * count / found.total()) for region, count in found.items()}
    claimed = {"SE": 40, "NE": 25, "S": 15, "N": 10, "CO": 10}
    assert {region: abs(share - claimed[region]) <= 1 for region, share in shares.items()} == (
        dict.fromkeys(claimed, True)
    )


def test_items_are_of_every_family_and_keep_their_codes_apart() -> None:
    items = master_data.items()
    at_start = items[: -master_data.SPARE_ITEMS]
    assert len({item.item_id for item in items}) == len(items)
    assert len({item.family for item in items}) == 15
    assert any(item.item_id.startswith("0") and len(item.item_id) == 4 for item in at_start)
    assert any(item.is_service for item in at_start)
    assert {item.criticality for item in at_start} == {"A", "B", "C"}
